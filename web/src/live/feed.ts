import { session, tokenNow } from '../connection/client.ts';
import { askForOlderThan, liveState, takeIn } from './effects.ts';
import url from './feed.worker.ts?worker&url';
import type { FeedMessage, FeedStart } from './messages.ts';
import { share } from './shared.ts';
import { workerFrom } from './trusted.ts';

const pauseMs = 3000;

/**
 * Keeps the screen up to date while somebody is logged in. Of all tabs of a user, one has the stream and tells the others; when it is
 * closed, the next one takes over.
 */
export function followSession(): void {
  let stop: (() => void) | undefined;
  const look = () => {
    const now = session.get();
    if (now.state === 'open' && !stop) stop = join(`millrace.live.${String(now.user.id)}`);
    if (now.state === 'none') {
      stop?.();
      stop = undefined;
    }
  };
  session.subscribe(look);
  look();
}

/** Joins the channel between the tabs of a user, until the returned function is called. */
function join(name: string): () => void {
  const leave = share<FeedMessage>({
    name,
    lead: feed,
    hear,
    soFar: () => ({ is: 'state', state: liveState.get() }),
  });
  return () => {
    leave();
    liveState.set('off');
  };
}

function hear(message: FeedMessage): void {
  if (message.is === 'state') {
    if (liveState.get() === 'off') askForOlderThan(Date.now());
    liveState.set(message.state);
  }
  if (message.is === 'fold') takeIn(message.fold);
}

/** Runs the stream in a worker until the signal aborts; an ended stream begins anew where it was. */
function feed(tell: (message: FeedMessage) => void, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    let after: string | undefined;
    let worker: Worker | undefined;
    const begin = async () => {
      const token = await tokenNow(signal);
      if (signal.aborted) return;
      worker = workerFrom(url);
      worker.addEventListener('message', ({ data }: MessageEvent<FeedMessage>) => {
        if (data.is === 'fold' || data.is === 'ended') after = data.cursor ?? after;
        if (data.is !== 'ended') tell(data);
        else again();
      });
      worker.postMessage({ token, after } satisfies FeedStart);
    };
    const again = () => {
      worker?.terminate();
      tell({ is: 'state', state: 'reconnecting' });
      if (!signal.aborted) setTimeout(() => void begin().catch(again), pauseMs);
    };
    signal.addEventListener('abort', () => {
      worker?.terminate();
      resolve();
    });
    void begin().catch(again);
  });
}
