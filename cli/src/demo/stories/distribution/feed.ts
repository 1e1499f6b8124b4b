import type { Client, Schemas } from '@millrace/api';

export type Event = Schemas['Event'];

/** Everything that happens on the server, as far as it was heard of. */
export interface Feed {
  readonly events: readonly Event[];
  /** Why nothing more comes. */
  readonly fault: () => unknown;
}

/** Reads the feed from its beginning, until the signal is aborted. */
export function followFeed(client: Client, signal: AbortSignal): Feed {
  const events: Event[] = [];
  let fault: unknown;
  const read = async () => {
    for await (const event of client.streamEvents({ query: { after: '0-0' } }, { signal }))
      events.push(event);
  };
  read().catch((error: unknown) => (fault = error));
  return { events, fault: () => fault };
}
