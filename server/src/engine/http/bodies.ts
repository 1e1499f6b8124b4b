import type { Operation } from '@millrace/api';
import type { IncomingMessage } from 'node:http';
import type { FastifyRequest } from 'fastify';
import { Refusal } from '../errors.ts';
import { readJson } from '../json/read.ts';
import { atOnce, inSlices, type Interruptible } from '../slices.ts';

/**
 * The bytes of a body that are read from any sender: reading them costs less than asking the database first. Parsing larger bodies of
 * strangers would keep everybody waiting, and connections whose bodies never end would in time use up all that the server can have.
 */
const smallBytes = 64 * 1024;

/** The largest JSON body that the operation reads, in bytes, within the server's own limit. */
export function bodyLimitOf({ bodyBytes }: Operation, maxBodyBytes: number): number {
  return Math.min(bodyBytes ?? maxBodyBytes, maxBodyBytes);
}

/** Whether reading the body may cost more than asking first whether its sender may call the operation. */
export function isWorthAsking({ body, bodyBytes }: Operation, request: FastifyRequest): boolean {
  if (body === 'file') return true;
  const isSmall = request.headers['transfer-encoding'] === undefined && lengthOf(request) <= smallBytes;
  return body === 'json' && (bodyBytes ?? Infinity) > smallBytes && !isSmall;
}

/** The announced length of the body in bytes. */
export function lengthOf({ headers }: Pick<FastifyRequest, 'headers'>): number {
  return Number(headers['content-length'] ?? 0);
}

// Read and checked in a fraction of a millisecond, whatever the contents.
const shortBytes = 4 * 1024;

/** Whether the body is so short that pausing in between would cost more than the work. */
export function isShort(request: Pick<FastifyRequest, 'headers'>): boolean {
  return request.headers['transfer-encoding'] === undefined && lengthOf(request) <= shortBytes;
}

/**
 * Receives and parses a JSON body.
 * @throws Refusal with the fault of the body; for its size as soon as that is known
 */
export async function receiveJson(request: FastifyRequest, body: IncomingMessage): Promise<unknown> {
  const pieces = await receive(request, body);
  return isShort(request) ? atOnce(readPieces(pieces)) : inSlices(readPieces(pieces));
}

/** Receives a body in pieces as they come. Bytes beyond the limit are read and dropped. */
function receive(request: FastifyRequest, body: IncomingMessage): Promise<Buffer[]> {
  const { bodyLimit } = request.routeOptions;
  if (lengthOf(request) > bodyLimit) throw bodyTooLarge(request);
  const pieces: Buffer[] = [];
  let length = 0;
  return new Promise((resolve, reject) => {
    const take = (piece: Buffer) => {
      length += piece.length;
      if (length <= bodyLimit) return void pieces.push(piece);
      body.off('data', take);
      pieces.length = 0;
      reject(bodyTooLarge(request));
    };
    body
      .on('data', take)
      .once('end', () => resolve(pieces))
      .once('error', reject);
  });
}

function* readPieces(pieces: Buffer[]): Interruptible<unknown> {
  return yield* readJson(yield* joined(pieces));
}

/** One buffer in place of the pieces, which are released one by one. */
function* joined(pieces: Buffer[]): Interruptible<Buffer> {
  const [only] = pieces;
  if (only && pieces.length === 1) return only;
  const bytes = Buffer.allocUnsafe(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (let piece = pieces.shift(); piece; piece = pieces.shift()) {
    at += piece.copy(bytes, at);
    yield;
  }
  return bytes;
}

/** The refusal of a body for its size. */
function bodyTooLarge({ routeOptions, server }: FastifyRequest): Refusal {
  const { bodyLimit } = routeOptions;
  const canBeRaised = bodyLimit === server.initialConfig.bodyLimit;
  const wayOut = canBeRaised
    ? ' Send it in parts, or have MILLRACE_MAX_BODY_BYTES raised.'
    : bodyLimit > smallBytes
      ? ' Leave out what the operation does not need, or ask for less at a time.'
      : '';
  return new Refusal(
    'TOO_LARGE',
    `The body is larger than ${bodyLimit} bytes, the most that is read here.${wayOut}`,
  );
}

export function fileTooLarge(limit: number): Refusal {
  return new Refusal(
    'TOO_LARGE',
    `The file is larger than ${limit} bytes. Send it in parts, or have MILLRACE_MAX_FILE_BYTES raised.`,
  );
}

// Boundaries and headers of a form, around its file.
const formBytes = 64 * 1024;

/** Refuses a file that is announced as too large, before any of it is read. */
export function refuseLongFile({ body }: Operation, request: FastifyRequest, maxFileBytes: number): void {
  if (body === 'file' && lengthOf(request) > maxFileBytes + formBytes) throw fileTooLarge(maxFileBytes);
}

/** Refuses kinds of bodies that would be misread, before any of it is read: a compressed one as damaged, and a file as bad JSON. */
export function refuseOtherKinds({ body }: Operation, { headers }: FastifyRequest): void {
  const { 'content-encoding': coding = 'identity', 'content-type': type = '' } = headers;
  if (coding.toLowerCase() !== 'identity') {
    throw new Refusal(
      'UNSUPPORTED_MEDIA_TYPE',
      'The body is compressed, as its header Content-Encoding says, which is not read here. Send it as it is, without that header.',
    );
  }
  if (body === 'file' && !/^multipart\/form-data\b/i.test(type)) {
    throw new Refusal(
      'UNSUPPORTED_MEDIA_TYPE',
      'Send the file as multipart/form-data, in a part named "file".',
    );
  }
}
