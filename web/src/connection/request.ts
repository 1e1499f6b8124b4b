import type { AnyCall, Call, OperationId } from '@millrace/api';

/** A call before it is made: what a dialog shows as a command, and then does. */
export interface Request {
  readonly operationId: OperationId;
  readonly input: AnyCall;
}

export function requestFor<O extends OperationId>(operationId: O, input: Call<O>): Request {
  return { operationId, input: input as AnyCall };
}
