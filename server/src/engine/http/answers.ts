import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { writeJson } from '../json/write.ts';
import type { Download } from '../operation.ts';
import { inSlices, mapped } from '../slices.ts';

/** Sends an answer; a large one in pieces, no faster than its reader takes them. */
export async function sendJson(reply: FastifyReply, answer: object): Promise<FastifyReply> {
  const pieces = await inSlices(writeJson(answer));
  reply.type('application/json');
  // A client that has gone reads nothing of it.
  if (pieces.length === 1 || reply.raw.destroyed) return reply.send(pieces[0]);
  const lengths = await inSlices(mapped(pieces, (piece) => Buffer.byteLength(piece)));
  const length = lengths.reduce((sum, one) => sum + one, 0);
  return reply.header('content-length', length).send(Readable.from(pieces));
}

// A reader that takes nothing for this long is cut off.
const stalledMs = 120_000;

/**
 * Sends a file as it comes. It has no length, so that a failure can only show as an end in the middle, which HTTP makes every client
 * notice.
 */
export function sendFile(reply: FastifyReply, { mediaType, fileName, bytes }: Download): FastifyReply {
  reply.raw.setTimeout(stalledMs);
  reply.type(mediaType).headers({
    'content-disposition': attached(fileName),
    // A proxy that buffers the answer would fill its disk with it, and show its reader nothing until the end.
    'x-accel-buffering': 'no',
  });
  return reply.send(bytes);
}

/** The header that names a file: in ASCII, which every client reads, and in its own characters. */
function attached(fileName: string): string {
  const plain = fileName.replace(/[^\w .()-]/g, '_');
  const encoded = encodeURIComponent(fileName).replace(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16)}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
