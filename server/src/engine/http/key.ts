import type { Operation, OperationId } from '@millrace/api';
import type { FastifyRequest } from 'fastify';
import { Refusal } from '../errors.ts';
import { requestHash, type IdempotencyKey } from '../idempotency.ts';
import { readsOnly } from '../calls.rules.ts';

const aKey = /^[\x21-\x7e]{1,255}$/;

/** The name that the caller gives to the call, under which it is done once. @throws Refusal where it is none, or the operation keeps none */
export async function keyOf(
  { operationId, operation }: { readonly operationId: OperationId; readonly operation: Operation },
  request: FastifyRequest,
  { target, body }: { readonly target: object; readonly body: unknown },
): Promise<IdempotencyKey | undefined> {
  const given = request.raw.headersDistinct['idempotency-key'];
  // What only reads may be done as often as one likes.
  if (given === undefined || readsOnly(operation) || operation.effect === 'none') return undefined;
  if (!operation.takesKey) refuseKey(request, 'this operation');
  const [key = ''] = given;
  if (given.length > 1 || !aKey.test(key))
    throw new Refusal(
      'INVALID_REQUEST',
      'The header Idempotency-Key is one text of 1 to 255 visible characters of ASCII, such as a UUID.',
    );
  return { key, hash: await requestHash(operationId, target, body) };
}

/** A key that nobody keeps would promise what is not so. */
export function refuseKey({ headers }: FastifyRequest, what: string): void {
  if (headers['idempotency-key'] === undefined) return;
  throw new Refusal(
    'INVALID_REQUEST',
    `The header Idempotency-Key does not go with ${what}. Send it without.`,
  );
}
