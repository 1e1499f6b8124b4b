import { ApiError, createClient, type Schemas } from '@millrace/api';
import { fold } from './fold.ts';
import type { FeedMessage, FeedStart } from './messages.ts';

/** The time for which events are gathered before they are told, in milliseconds. */
const foldMs = 250;

let gathered: Schemas['Event'][] = [];
let timer: ReturnType<typeof setTimeout> | undefined;
let cursor: string | undefined;

function tell(message: FeedMessage): void {
  postMessage(message);
}

function flush(): void {
  timer = undefined;
  tell({ is: 'fold', fold: fold(gathered), cursor });
  gathered = [];
}

/** Reports the state of the connection: each attempt of the client to connect comes through here. */
const watched: typeof fetch = async (...request) => {
  try {
    const answer = await fetch(...request);
    tell({ is: 'state', state: answer.status < 500 ? 'live' : 'reconnecting' });
    return answer;
  } catch (error) {
    tell({ is: 'state', state: 'reconnecting' });
    throw error;
  }
};

addEventListener('message', ({ data }: MessageEvent<FeedStart>) => {
  void follow(data).catch((error: unknown) => {
    // The session is over, or the server was away at the beginning: the page begins again.
    tell({ is: 'ended', isRefused: error instanceof ApiError && error.status < 500, cursor });
  });
});

async function follow({ token, after }: FeedStart): Promise<void> {
  const client = createClient({ url: location.origin, token, fetch: watched });
  for await (const event of client.streamEvents({ query: after === undefined ? {} : { after } })) {
    gathered.push(event);
    ({ cursor } = event);
    timer ??= setTimeout(flush, foldMs);
  }
}
