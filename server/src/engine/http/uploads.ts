import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { finished } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Config } from '../config.ts';
import { Refusal } from '../errors.ts';
import type { Identity } from '../operation.ts';
import type { TakePlace } from '../places.ts';
import { fileTooLarge } from './bodies.ts';

/** Saves the file of a request on disk until the request is answered; returns its path and name. */
export type ReceiveFile = (
  request: FastifyRequest,
  reply: FastifyReply,
  sender: Identity,
) => Promise<{ path: string; name: string }>;

/**
 * Receives files before a transaction begins, so that a slow sender holds nothing up: a limited number at a time, as each may fill much of
 * a disk.
 */
export async function createUploads(
  http: FastifyInstance,
  { maxUploads, maxUserUploads, maxFileBytes }: Config,
  takePlace: TakePlace,
): Promise<ReceiveFile> {
  await removeLeftOvers();
  const folder = await mkdtemp(path.join(tmpdir(), `${prefix}${process.pid}-`));
  ours.add(path.basename(folder));
  http.addHook('onClose', () => rm(folder, { recursive: true, force: true }));
  const kind = { name: 'uploads', ofAll: maxUploads, ofUser: maxUserUploads };

  return async (request, reply, sender) => {
    const place = await takePlace(kind, sender);
    if (place.full) throw place.full === 'user' ? tooManyOfUser(place.held) : tooMany(place.held);
    const form = unlogged(request);
    finished(reply.raw, () => {
      place.release();
      void form.cleanRequestFiles();
    });
    return saveFile(form, folder, maxFileBytes);
  };
}

/**
 * The request without its logger: the parser of forms would log headers, with the token among them, and faults of senders as errors of the
 * server.
 */
function unlogged(request: FastifyRequest): FastifyRequest {
  const log = request.log.child({}, { level: 'silent' });
  return Object.create(request, { log: { value: log } }) as FastifyRequest;
}

const prefix = 'millrace-uploads-';
/** The folders of the servers in this process. */
const ours = new Set<string>();

/** Removes the folders of processes that were killed in the middle of an upload. */
async function removeLeftOvers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const [, pid] = /^millrace-uploads-(\d+)-/.exec(name) ?? [];
    if (pid === undefined || ours.has(name) || isOtherAtWork(Number(pid))) continue;
    // A folder that cannot be removed belongs to another user of this machine.
    await rm(path.join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined);
  }
}

function isOtherAtWork(pid: number): boolean {
  if (pid === process.pid) return false;
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function saveFile(request: FastifyRequest, folder: string, maxFileBytes: number) {
  const { files } = await request.saveRequestFiles({ tmpdir: folder }).catch((error: FormError) => {
    throw error.code === 'FST_REQ_FILE_TOO_LARGE' ? fileTooLarge(maxFileBytes) : unreadableForm(error);
  });
  const [file] = files;
  if (!file)
    throw new Refusal('INVALID_REQUEST', 'There is no file in the request. Send it in a part named "file".');
  return { path: file.filepath, name: nameOf(file.filename) };
}

const longestName = 255;

/** The name of a file in a form that can be kept and printed; its sender may have made it up or left it out. */
function nameOf(name: string | undefined): string {
  return name?.slice(0, longestName).replace(/[\p{Cc}\p{Surrogate}]/gu, '\ufffd') || 'file';
}

type FormError = Error & { code?: string };

/** An error of the form itself has no code; any other, such as a full disk, has one. */
function unreadableForm(error: FormError): Error {
  if (error.code !== undefined) return error;
  return new Refusal(
    'INVALID_REQUEST',
    'The form cannot be read: it has no boundary, a part without its headers, or no end. Send the file again as multipart/form-data, in a ' +
      'part named "file".',
  );
}

function tooManyOfUser(most: number): Refusal {
  return new Refusal(
    'TOO_MANY_REQUESTS',
    `You are sending ${most} files already, as many as a user may at a time. Send this one when they are done.`,
    { retryAfter: 10 },
  );
}

function tooMany(most: number): Refusal {
  return new Refusal(
    'UNAVAILABLE',
    `This server is receiving ${most} files already, as many as MILLRACE_MAX_UPLOADS allows. Try again later, or at another server.`,
    { retryAfter: 10 },
  );
}
