import { ApiError, type OperationId } from '@millrace/api';
import { backOffSeconds, mayPass, pause } from './backoff.ts';
import type { Emit } from './events.ts';

/**
 * Repeats a call to a server that cannot be reached yet.
 * @returns undefined when the signal was aborted first.
 * @throws ApiError when the server refuses, also the credentials; and anything else that the call throws.
 */
export async function untilAnswered<Answer>(
  operationId: OperationId,
  call: () => Promise<Answer>,
  emit: Emit,
  signal: AbortSignal,
): Promise<Answer | undefined> {
  for (let failures = 1; !signal.aborted; failures += 1) {
    try {
      return await call();
    } catch (error) {
      if (signal.aborted) return undefined;
      const isRefused = error instanceof ApiError && error.status === 401;
      if (isRefused || !mayPass(error)) throw error;
      const seconds = backOffSeconds(failures, Math.random());
      emit({ type: 'retrying', call: operationId, message: (error as Error).message, seconds });
      await pause(seconds, signal);
    }
  }
  return undefined;
}
