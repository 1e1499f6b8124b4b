import { parseJson, type Schemas } from '@millrace/api';
import type { QueueStepsOperation, StepsOperation } from '../engine/operation.ts';
import { optionsFor, optionsOf } from './options.rules.ts';
import type { SampleJob } from './portions.ts';
import { lookInTurn, readInThread } from './reading.ts';

/** The uploaded file on disk. */
type File = Pick<SampleJob, 'path' | 'name'>;

export const previewFile: QueueStepsOperation<'previewFile'> = async ({ transact }, { query, body }) => {
  const asked = optionsOf(query);
  const { userId, attributes, options } = await transact(({ actor, queue }) =>
    Promise.resolve({
      userId: actor.id,
      attributes: queue.attributes,
      options: optionsFor(queue, asked),
    }),
  );
  return lookInTurn(String(userId), () => sampleOf({ ...(body as File), options, attributes }));
};

export const proposeWorkItemModel: StepsOperation<'proposeWorkItemModel'> = async (
  { transact },
  { query, body },
) => {
  const options = optionsOf(query);
  const userId = await transact(({ actor }) => Promise.resolve(actor.id));
  const sample = await lookInTurn(String(userId), () =>
    sampleOf({ ...(body as File), options, attributes: [] }),
  );
  const { model, problems: _, mapping: __, rows: ___, intakeFormat: ____, ...how } = sample;
  return { ...model, ...how };
};

async function sampleOf(job: Omit<SampleJob, 'purpose'>): Promise<Schemas['FilePreview']> {
  let json = '';
  // Read to the end, so that the thread is kept for the next file.
  for await (const told of readInThread({ ...job, purpose: 'sample' }))
    if (told.kind === 'sample') json = told.json;
  return parseJson(json) as Schemas['FilePreview'];
}
