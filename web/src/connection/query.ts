import {
  ApiError,
  ConnectionError,
  stringifyJson,
  type Call,
  type OperationId,
  type Output,
} from '@millrace/api';
import { QueryClient, queryOptions, type Query } from '@tanstack/react-query';
import { awaySince, notePutOff } from './reach.ts';
import { call } from './client.ts';

const secondsUntilStale = 30;

/** The server's answers, by operation and input. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // Ids beyond what a double holds are bigints.
      queryKeyHashFn: (key) => stringifyJson(key),
      staleTime: secondsUntilStale * 1000,
      networkMode: 'always',
      refetchOnWindowFocus: false,
      retry: (count, error) => count < 20 && waitOf(error) !== undefined,
      retryDelay: (_, error) => putOff(waitOf(error) ?? 0),
    },
    mutations: { networkMode: 'always', retry: false },
  },
});

// While the server was away, answers were missed: all are asked for again.
awaySince.subscribe(() => {
  if (awaySince.get() === undefined) askAnew();
});

/** Asks for everything again, but for the lists of items on screen, which are told that much has changed instead. */
export function askAnew(): void {
  void queryClient.invalidateQueries({ predicate: (asked) => !isListOnScreen(asked) });
}

/** Whether an answer is a list of items that somebody looks at: asked for again, its rows would move under the hand. */
export function isListOnScreen(asked: Query): boolean {
  return asked.queryKey[0] === 'listWorkItems' && asked.isActive() && asked.state.status === 'success';
}

/** The one way to read: by the operationId and its input. */
export function query<O extends OperationId>(operationId: O, input: Call<O>) {
  return queryOptions({
    queryKey: [operationId, input] as const,
    queryFn: ({ signal }) => call(operationId, input, { signal }),
  });
}

/** Loads the data that a page needs before it shows. Cached data will do; old data is refreshed while it shows. */
export function read<O extends OperationId>(wanted: ReturnType<typeof query<O>>): Promise<Output<O>> {
  return queryClient.query({ ...wanted, staleTime: 'static' });
}

function putOff(ms: number): number {
  notePutOff(ms);
  return ms;
}

/** The wait before asking again, in milliseconds; undefined where asking again is no use. */
function waitOf(error: unknown): number | undefined {
  if (error instanceof ConnectionError || !(error instanceof ApiError)) return undefined;
  if (error.status !== 503 && error.status !== 429) return undefined;
  return (error.retryAfter ?? 2) * 1000;
}
