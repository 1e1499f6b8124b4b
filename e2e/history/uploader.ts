import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, Output } from '@millrace/api';
import { answerOf, handsOf, type Hands, type Place } from './calls.ts';

/** A file, and where to. */
interface Sending {
  readonly queueId: number;
  readonly keys: readonly string[];
  readonly isAsync: boolean;
}

/**
 * Sends files until it is told to stop, and gives some of them up on the way. Of those without an answer some are sent again, as their
 * rows would not come twice.
 */
export async function send(place: Place, queueIds: readonly number[], signal: AbortSignal): Promise<void> {
  const hands = handsOf(place);
  const { chance } = hands;
  for (let count = 1; !signal.aborted; count += 1) {
    const keys = Array.from(
      { length: 3 + chance.below(4) },
      (_, index) => `${place.name} ${count} row ${index}`,
    );
    const sending = { queueId: chance.oneOf(queueIds), keys, isAsync: chance.once(2) };
    const isGivenUp = chance.once(3);
    let isKnown = await sendOnce(hands, sending, isGivenUp ? chance.below(400) : undefined);
    for (let tries = chance.below(3); tries > 0 && !isKnown && !signal.aborted; tries -= 1)
      isKnown = await sendOnce(hands, sending, undefined);
    await sleep(chance.below(1500));
  }
}

const answerSeconds = 15;

/** @returns whether the sender was told what became of the file. */
async function sendOnce(
  { client, write }: Hands,
  { queueId, keys, isAsync }: Sending,
  givenUpAfter: number | undefined,
): Promise<boolean> {
  write({ note: 'uploading', keys });
  const caller = client();
  const giveUp = new AbortController();
  const timer = givenUpAfter === undefined ? undefined : setTimeout(() => giveUp.abort(), givenUpAfter);
  const call = {
    path: { id: queueId },
    query: { onError: 'reject', async: isAsync } as const,
    body: { file: new File([`customer\n${keys.join('\n')}\n`], 'keys.csv') },
  };
  const options = { signal: giveUp.signal, timeoutSeconds: answerSeconds };
  const answer = await answerOf(() =>
    caller.createWorkItemsFromFile(call, options).catch((error: unknown) => {
      if (giveUp.signal.aborted) return undefined;
      throw error;
    }),
  );
  clearTimeout(timer);
  const ended = answer?.state === 'READING' ? await followed(caller, queueId, answer) : answer;
  if (ended && ended.created > 0) write({ note: 'uploaded', keys });
  return ended !== undefined;
}

type Upload = Output<'getUpload'>;

/** What became of a file that is on its way; nothing when that cannot be told soon. */
async function followed(
  caller: Client,
  queueId: number,
  { uploadId = 0 }: Upload,
): Promise<Upload | undefined> {
  for (let tries = 0; tries < 50; tries += 1) {
    const upload = await answerOf(() => caller.getUpload({ path: { id: queueId, uploadId } }));
    if (upload && upload.state !== 'READING') return upload;
    await sleep(100);
  }
  return undefined;
}
