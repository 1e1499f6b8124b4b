import { createHash } from 'node:crypto';
import { stringifyJson, type Operation, type OperationId } from '@millrace/api';
import type { FastifyRequest } from 'fastify';
import { readsOnly } from '../call.ts';
import { Refusal } from '../errors.ts';
import { requestHash, type IdempotencyKey } from '../idempotency.ts';
import { inSlices, type Interruptible } from '../slices.ts';
import type { Line } from './line-reader.ts';

const aKey = /^[\x21-\x7e]{1,255}$/;

/** The caller's key for the call, under which it is done once. @throws Refusal when it is invalid, or the operation keeps none */
export async function keyOf(
  { operationId, operation }: Keeping,
  request: FastifyRequest,
  { target, body }: { readonly target: object; readonly body: unknown },
): Promise<IdempotencyKey | undefined> {
  const key = givenKey(operation, request);
  return key === undefined ? undefined : { key, hash: await requestHash(operationId, target, body) };
}

/** The operation of a route. */
interface Keeping {
  readonly operationId: OperationId;
  readonly operation: Operation;
}

function givenKey(operation: Operation, request: FastifyRequest): string | undefined {
  const given = request.raw.headersDistinct['idempotency-key'];
  // A call that only reads may be repeated at will.
  if (given === undefined || readsOnly(operation) || operation.effect === 'none') return undefined;
  // A key that nobody keeps would promise what is not so.
  if (!operation.takesKey)
    throw new Refusal(
      'INVALID_REQUEST',
      'The header Idempotency-Key does not go with this operation. Send it without.',
    );
  const [key = ''] = given;
  if (given.length > 1 || !aKey.test(key))
    throw new Refusal(
      'INVALID_REQUEST',
      'The header Idempotency-Key is one text of 1 to 255 visible characters of ASCII, such as a UUID.',
    );
  return key;
}

/** The names of the calls that a body of lines becomes: its key, and a hash of the lines of each. */
export interface LinesKey {
  readonly key: string;
  readonly hashOf: (lines: readonly Line[]) => Promise<string>;
}

/** The name that the caller gives to a call whose body is of lines. @throws Refusal where it is none */
export function keyOfLines(
  { operationId, operation }: Keeping,
  request: FastifyRequest,
  target: object,
): LinesKey | undefined {
  const key = givenKey(operation, request);
  if (key === undefined) return undefined;
  return { key, hashOf: (lines) => inSlices(hashOf(stringifyJson([operationId, target]), lines)) };
}

function* hashOf(call: string, lines: readonly Line[]): Interruptible<string> {
  const hash = createHash('sha256').update(call);
  for (const { number, bytes } of lines) {
    hash.update(`\n${number} ${bytes.length} `).update(bytes);
    yield;
  }
  return hash.digest('hex');
}
