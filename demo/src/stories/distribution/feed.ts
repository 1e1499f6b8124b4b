import type { Client, Schemas } from '@millrace/api';

export type Event = Schemas['Event'];

/** The events of the server, as far as they have arrived. */
export interface Feed {
  readonly events: readonly Event[];
  /** Rejects when the server ends it. */
  readonly failed: Promise<never>;
}

/** Reads the feed from its beginning, until the signal is aborted. */
export function followFeed(client: Client, signal: AbortSignal): Feed {
  const events: Event[] = [];
  const read = async () => {
    for await (const event of client.streamEvents({ query: { after: '0-0' } }, { signal }))
      events.push(event);
    throw new Error('The feed of events has ended before the story.');
  };
  const failed = read();
  // The story waits for it; once the story is over, the end of the feed means nothing.
  failed.catch(() => undefined);
  return { events, failed };
}
