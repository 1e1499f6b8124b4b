import { setTimeout } from 'node:timers/promises';
import { ApiError, ConnectionError, type Client, type Output } from '@millrace/api';
import type { Storing } from './upload-progress.ts';

type Upload = Output<'getUpload'>;
type Path = Parameters<Client['getUpload']>[0]['path'];

const pauseMs = 500;
const answerSeconds = 20;
/** How long an unreachable server is asked again: it may be restarting. */
const patienceMs = 120_000;

/**
 * Waits until the server has stored a file that it has received, also through restarts of the server.
 * @throws ApiError when nothing of it was stored, ConnectionError when the server stays away
 */
export async function followUpload(
  client: Client,
  path: Path,
  storing: Storing,
  signal: AbortSignal,
): Promise<Upload> {
  let heardAt = performance.now();
  for (;;) {
    const upload = await uploadNow(client, path, {
      signal,
      isPatient: performance.now() - heardAt < patienceMs,
    });
    if (upload) heardAt = performance.now();
    if (upload && upload.state !== 'READING') return stored(upload);
    if (upload) storing.at(Number(upload.bytesRead ?? 0), Number(upload.fileBytes ?? 0), upload.rows ?? 0);
    await setTimeout(pauseMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

/** Undefined while the server is away, for as long as the caller waits for it. */
async function uploadNow(
  client: Client,
  path: Path,
  { signal, isPatient }: { readonly signal: AbortSignal; readonly isPatient: boolean },
): Promise<Upload | undefined> {
  try {
    return await client.getUpload({ path }, { signal, timeoutSeconds: answerSeconds });
  } catch (error) {
    const isAway = error instanceof ConnectionError || (error instanceof ApiError && error.status === 503);
    if (isAway && isPatient) return undefined;
    throw error;
  }
}

function stored(upload: Upload): Upload {
  const { state, refusal } = upload;
  if (state === 'REFUSED' && refusal) throw new ApiError(400, refusal);
  if (state !== 'CUT') return upload;
  const message =
    'The server was stopped before it had stored the file; nothing of it is there. Send it again.';
  throw new ApiError(503, { code: 'CUT', message });
}
