import { setTimeout as sleep } from 'node:timers/promises';
import { createClient, type Client, type Output } from '@millrace/api';
import { answerOf, handsOf, type Hands, type Place } from './calls.ts';

/** A file, and its queue. */
interface Sending {
  readonly queueId: number;
  readonly keys: readonly string[];
  /** Whether the server reads and stores it in several portions. */
  readonly isLong: boolean;
  readonly isAsync: boolean;
}

/** How the sender gives up: after some milliseconds, or when a part of the file has gone out. */
interface End {
  readonly afterMs?: number;
  readonly afterShare?: number;
}

/**
 * Sends files until told to stop, and until one was answered; gives some of them up on the way. Some files without an answer are sent
 * again, as their rows must not come twice.
 */
export async function send(place: Place, queueIds: readonly number[], signal: AbortSignal): Promise<void> {
  const hands = handsOf(place);
  const { chance } = hands;
  let hasUploaded = false;
  for (let count = 1; !signal.aborted || !hasUploaded; count += 1) {
    const keys = Array.from(
      { length: 3 + chance.below(4) },
      (_, index) => `${place.name} ${count} row ${index}`,
    );
    const [isLong, isAsync] = [chance.once(2), chance.once(2)];
    const sending = { queueId: chance.oneOf(queueIds), keys, isLong, isAsync };
    const ends: End[] = [{}, {}, { afterMs: chance.below(400) }, { afterShare: chance.below(100) / 100 }];
    let isKnown = await sendOnce(place, hands, sending, chance.oneOf(ends));
    for (let tries = chance.below(3); tries > 0 && !isKnown; tries -= 1)
      isKnown = await sendOnce(place, hands, sending);
    hasUploaded ||= isKnown;
    await sleep(chance.below(1500));
  }
}

// Two portions and a part of a third; they do not fit, and are left out.
const rowsBetween = 'nobody,left out\n'.repeat(4500);

/** The file: its keys are at its beginning and, behind the rows that are left out, at its end. */
function textOf({ keys, isLong }: Sending): string {
  const [first, ...others] = keys;
  return `customer\n${first}\n${isLong ? rowsBetween : ''}${others.join('\n')}\n`;
}

const answerSeconds = 15;

/** @returns whether the sender was told the outcome of the file. */
async function sendOnce(
  { urls, token }: Place,
  { client, write, chance }: Hands,
  sending: Sending,
  { afterMs, afterShare }: End = {},
): Promise<boolean> {
  const { queueId, keys, isLong, isAsync } = sending;
  write({ note: 'uploading', keys });
  const caller =
    afterShare === undefined
      ? client()
      : createClient({ url: chance.oneOf(urls), token, fetch: cutAfter(afterShare) });
  const giveUp = new AbortController();
  const timer = afterMs === undefined ? undefined : setTimeout(() => giveUp.abort(), afterMs);
  const call = {
    path: { id: queueId },
    query: { onError: isLong ? 'skip' : 'reject', async: isAsync } as const,
    body: { file: new File([textOf(sending)], 'keys.csv') },
  };
  const options = { signal: giveUp.signal, timeoutSeconds: answerSeconds };
  const answer = await answerOf(() =>
    caller.createWorkItemsFromFile(call, options).catch((error: unknown) => {
      if (giveUp.signal.aborted) return undefined;
      throw error;
    }),
  );
  clearTimeout(timer);
  const ended = answer?.state === 'READING' ? await followed(client(), queueId, answer) : answer;
  if (ended && ended.created > 0) write({ note: 'uploaded', keys });
  return ended !== undefined;
}

/** A fetch whose connection breaks when a part of the body has gone out. @param share of it, from 0 to below 1 */
function cutAfter(share: number): typeof globalThis.fetch {
  return async (input, init) => {
    const form = new Response(init?.body ?? null);
    const bytes = new Uint8Array(await form.arrayBuffer());
    const headers = new Headers(init?.headers);
    headers.set('content-type', form.headers.get('content-type') ?? '');
    const body = new ReadableStream<Uint8Array>({
      start: async (controller) => {
        controller.enqueue(bytes.subarray(0, Math.floor(bytes.length * share)));
        await sleep(50);
        controller.error(new TypeError('the connection is cut'));
      },
    });
    return fetch(input, { ...init, headers, body, duplex: 'half' });
  };
}

type Upload = Output<'getUpload'>;

/** The outcome of an upload; undefined when it takes too long. */
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
