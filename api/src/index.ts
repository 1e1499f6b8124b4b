/** The promise of Millrace: its operations, their types, the life of a work item, and a client. */
export { operations } from './generated/operations.ts';
export { createClient, type AnyMethod, type Call, type Client, type ClientOptions } from './client.ts';
export { ApiError, ConnectionError, type ErrorDetail } from './client/errors.ts';
export type { DownloadedFile } from './client/download.ts';
export type { AnyCall, CallOptions } from './client/request.ts';
export { wayToDuplicate } from './duplicates.ts';
export { faultIn } from './faults.ts';
export {
  ExactNumber,
  JsonText,
  parseJson,
  parseShallowJson,
  stringifyJson,
  toDouble,
  toId,
  type Id,
} from './json.ts';
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
export { actorKindOf, heldOperation, recordedBesides, runnerOperations, type ActorKind } from './actors.ts';
export { signatureOf } from './signatures.ts';
