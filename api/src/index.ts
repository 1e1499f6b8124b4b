/** What Millrace promises: its operations, their types, the life of a work item, and a client. */
export { operations } from './generated/operations.ts';
export { createClient, type AnyMethod, type Call, type Client, type ClientOptions } from './client.ts';
export { ApiError, ConnectionError, type ErrorDetail } from './client/errors.ts';
export type { AnyCall, CallOptions } from './client/request.ts';
export { ExactNumber, parseJson, stringifyJson, toDouble, toId, type Id } from './json.ts';
export {
  isOver,
  guards,
  mayHappen,
  statusAfter,
  statuses,
  transitions,
  type Facts,
  type Guard,
  type Status,
  type Transition,
  type TransitionName,
} from './lifecycle.ts';
export type { Input, Operation, OperationId, Output, Schemas } from './operation.ts';
