/** The inputs and answers of operations, as types. */
import type { components, operations as operationTypes } from './generated/types.ts';
import type { operations } from './generated/operations.ts';

/** The schemas of the contract, by name. */
export type Schemas = components['schemas'];

/** Name of an operation; the key of the operations table. */
export type OperationId = keyof typeof operations;

/** One row of the operations table. */
export interface Operation {
  readonly method: string;
  readonly path: string;
  /** A second path under which older clients know the operation. */
  readonly also: string | null;
  readonly body: 'json' | 'file' | null;
  /** The list in the body that may come as lines of JSON instead, with any number of members. */
  readonly lines: string | null;
  readonly bodyRequired: boolean;
  /** The largest body of JSON, in bytes; null where items are in it, for as many as the server is set to take. */
  readonly bodyBytes: number | null;
  /** Whether a call may have an Idempotency-Key. */
  readonly takesKey: boolean;
  readonly success: number;
  /** The named permission that a role must grant; `oneself` needs a token and no more, `public` none. */
  readonly permission: string;
  /** Capabilities in the queue, of which the caller needs any one. */
  readonly queue: readonly string[] | null;
  /**
   * none: no database; read and write: a transaction of its own; steps: transactions that it opens itself;
   * batch: gathered with other calls on the queue; stream: answered part by part, as long as the caller listens.
   */
  readonly effect: string;
  /** Whether it is for pages of the server alone, whose browser has a cookie for it. */
  readonly browser: boolean;
  readonly cli: string | null;
  readonly summary: string;
}

/** The input of a call: parameters of the path and the query, and the body. */
export interface Input<O extends OperationId = OperationId> {
  readonly path: PathOf<O>;
  readonly query: QueryOf<O>;
  readonly body: BodyOf<O>;
}

/** The body of the successful answer; undefined where there is none. */
export type Output<O extends OperationId> = operationTypes[O] extends { responses: { 200: infer Success } }
  ? Success extends { content: { 'application/json': infer Body } }
    ? Body
    : undefined
  : undefined;

/** One part of a stream. */
export type Streamed<O extends OperationId> = operationTypes[O] extends {
  responses: { 200: { content: { 'text/event-stream': infer Event } } };
}
  ? Event
  : never;

type ParametersOf<O extends OperationId> = operationTypes[O]['parameters'];
type PathOf<O extends OperationId> =
  ParametersOf<O> extends { path: infer Path } ? Path : Record<never, never>;
type QueryOf<O extends OperationId> =
  ParametersOf<O> extends { query?: infer Query }
    ? Given<NonNullable<Query>, Record<never, never>>
    : Record<never, never>;
type BodyOf<O extends OperationId> = operationTypes[O] extends { requestBody?: infer Body }
  ? Given<JsonOf<NonNullable<Body>>, undefined>
  : undefined;
type JsonOf<B> = B extends { content: { 'application/json': infer Json } } ? Json : unknown;
// The generated types say `never` where an operation takes nothing.
type Given<Value, Nothing> = [Value] extends [never] ? Nothing : Value;
