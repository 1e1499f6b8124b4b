import { JsonText, type AnyCall, type Call, type Id, type OperationId } from '@millrace/api';

/** A call before it is made: a dialog shows it as a command, and then makes it. */
export interface Request {
  readonly operationId: OperationId;
  readonly input: AnyCall;
}

export function requestFor<O extends OperationId>(operationId: O, input: Call<O>): Request {
  return { operationId, input: input as AnyCall };
}

/** The id of what a call before it makes, as commands name it: somebody puts it in there. It is shown only, never sent. @param of such as `QUEUE` */
export function idToCome(of: string): Id {
  return new JsonText(`${of}_ID`) as unknown as Id;
}
