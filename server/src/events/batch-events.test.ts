import { expect, test } from 'vitest';
import { startApp } from '../testing/app.ts';
import { createQueue, eventually, type QueueFixture } from '../testing/fixtures.ts';

const app = await startApp();

async function upload(queue: QueueFixture, rows: number) {
  const text = `customer\n${Array.from({ length: rows }, (_, index) => `c${index}`).join('\n')}\n`;
  const body = { file: new Blob([text]) };
  return (await queue.owner.call.createWorkItemsFromFile({ path: queue.path, body })).body;
}

test('listEvents finds the beginning and the end of a batch that is complete, however much has happened since and before', async () => {
  const [queue, other] = [await createQueue(app), await createQueue(app)];
  await upload(other, 10_100);
  const { uploadId, batchId } = await upload(queue, 3);
  const path = { ...queue.path, uploadId: Number(uploadId) };
  await queue.owner.call.undoUpload({ path, body: {} });
  const batch = { ...queue.path, batchId: Number(batchId) };
  await eventually(
    () => queue.owner.call.getBatch({ path: batch }),
    ({ body }) => body.completedOn !== undefined,
  );
  await upload(other, 10_200);
  const read = async (query: object, of: object = { queueId: queue.id }) => {
    const all = { ...of, batchId: Number(batchId), ...query };
    const { list } = (await queue.owner.call.listEvents({ query: all })).body;
    return list.map(({ operation, itemId }) => `${operation}${itemId === undefined ? '' : ' item'}`);
  };
  expect(await read({ last: 2 })).toEqual(['undoUpload', 'completeBatch']);
  expect((await read({ after: '0-0' })).slice(0, 4)).toEqual([
    'createWorkItemsFromFile item',
    'createWorkItemsFromFile item',
    'createWorkItemsFromFile item',
    'createWorkItemsFromFile',
  ]);
  // Without its queue, the batch is searched for among the newest and the oldest events of all.
  expect(await read({ last: 2 }, {})).toEqual([]);
  expect(await read({ after: '0-0' }, {})).toEqual([]);
});
