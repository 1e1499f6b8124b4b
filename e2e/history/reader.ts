import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Schemas } from '@millrace/api';
import { answerOf, handsOf, type Hands, type Place } from './calls.ts';
import { readLines } from './log.ts';
import type { ReadEvent } from './record.ts';

type Event = Schemas['Event'];

/** Reads the feed from where its log ends: one life as a stream, another page by page. */
export async function readFeed(place: Place): Promise<void> {
  const hands = handsOf(place);
  const keep = (event: Event) => appendFileSync(place.log, `${JSON.stringify(asRead(event))}\n`);
  const read = hands.chance.once(2) ? readStream : readPage;
  for (let after = resume(place.log); ;) after = await read(hands, after, keep);
}

/** The cursor behind which to go on; a line that death has torn was not read. */
function resume(log: string): string {
  if (!existsSync(log)) return '0-0';
  const text = readFileSync(log, 'utf8');
  writeFileSync(log, text.slice(0, text.lastIndexOf('\n') + 1));
  return readLines<ReadEvent>(log).at(-1)?.cursor ?? '0-0';
}

/** Reads on after a cursor; resolves to the cursor reached. */
type Read = (hands: Hands, after: string, keep: (event: Event) => void) => Promise<string>;

/** The client reconnects by itself; only a stream that could not begin ends. */
const readStream: Read = async ({ client }, after, keep) => {
  const place = { after };
  await answerOf(async () => {
    for await (const event of client().streamEvents({ query: { after } })) {
      keep(event);
      place.after = event.cursor;
    }
  });
  await sleep(100);
  return place.after;
};

const readPage: Read = async ({ client, chance }, after, keep) => {
  const limit = 1 + chance.below(100);
  const page = await answerOf(() => client().listEvents({ query: { after, limit } }));
  for (const event of page?.list ?? []) keep(event);
  if (!page?.isMore) await sleep(100);
  return page?.cursor ?? after;
};

/** An event of the feed, in the words of the record. */
export function asRead({
  cursor,
  id,
  queueId,
  itemId,
  operation,
  actorId,
  deviceId,
  from,
  to,
  changes,
}: Event): ReadEvent {
  return {
    cursor,
    id: Number(id),
    queueId: numberOf(queueId),
    itemId: numberOf(itemId),
    operation,
    by: Number(actorId),
    device: numberOf(deviceId),
    from,
    to,
    changes,
  };
}

function numberOf(id: Event['itemId']): number | undefined {
  return id === undefined ? undefined : Number(id);
}
