/** A task that is done once for all tabs of a browser that want it. */
interface Share<Message> {
  /** The same in each tab, and in no other browser's: the channel and the lock have it. */
  readonly name: string;
  /** Does it until the signal comes, and tells what comes of it. */
  readonly lead: (tell: (message: Message) => void, signal: AbortSignal) => Promise<unknown>;
  /** Hears what is told, in the tab that tells it as well. */
  readonly hear: (message: Message) => void;
  /** The message that brings a later tab up to date; undefined where there is nothing yet. */
  readonly soFar: () => Message | undefined;
}

type Post<Message> = { readonly message: Message } | 'hello';

/**
 * Takes part until the function that is answered is called. Of all tabs that do, one has the lock and leads; when it leaves or is closed, the
 * next one takes over. Without locks, over plain http from another machine, each tab leads for itself.
 */
export function share<Message>({ name, lead, hear, soFar }: Share<Message>): () => void {
  const channel = new BroadcastChannel(name);
  const leaving = new AbortController();
  let isLeader = false;
  const post = (posted: Post<Message>) => channel.postMessage(posted);
  const tell = (message: Message) => {
    if (leaving.signal.aborted) return;
    if (isSecureContext) post({ message });
    hear(message);
  };
  channel.addEventListener('message', ({ data }: MessageEvent<Post<Message>>) => {
    if (data !== 'hello') {
      hear(data.message);
      return;
    }
    const known = isLeader ? soFar() : undefined;
    if (known !== undefined) post({ message: known });
  });
  post('hello');
  const begin = () => {
    isLeader = true;
    return lead(tell, leaving.signal);
  };
  const led = isSecureContext ? navigator.locks.request(name, { signal: leaving.signal }, begin) : begin();
  void Promise.resolve(led).catch(() => undefined);
  return () => {
    leaving.abort();
    channel.close();
  };
}
