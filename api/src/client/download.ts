import { connectionError, refusal } from './errors.ts';
import { addressOf, contentOf, type Request, type Transport } from './request.ts';

/** A file that a server answers. */
export interface DownloadedFile {
  /** The name that the server gives it. */
  readonly fileName: string | undefined;
  readonly mediaType: string;
  /** Fails when the answer is cut: the part read until then is no whole file. */
  readonly body: ReadableStream<Uint8Array>;
}

/**
 * Asks for a file, and answers as soon as it begins to come.
 * @throws ApiError, ConnectionError, or the reason of the signal
 */
export async function openDownload(
  { url, fetch }: Transport,
  { operation, call, token }: Request,
  signal?: AbortSignal,
): Promise<DownloadedFile> {
  const address = addressOf(url, operation, call);
  const { headers, body } = contentOf(operation, call.body);
  delete headers['accept'];
  if (token !== undefined) headers['x-authorization'] = token;
  const init = { method: operation.method, headers, body: body ?? null, ...(signal && { signal }) };
  const response = await fetch(address, init).catch((error: unknown) => {
    throw signal?.aborted === true ? signal.reason : connectionError(url, error);
  });
  const { status } = response;
  if (status !== operation.success || !response.body)
    throw refusal(address, status, await response.text(), response.headers.get('retry-after'));
  const fileName = nameIn(response.headers.get('content-disposition') ?? '');
  return { fileName, mediaType: response.headers.get('content-type') ?? '', body: response.body };
}

function nameIn(disposition: string): string | undefined {
  const [, encoded] = /filename\*=UTF-8''([^;]+)/i.exec(disposition) ?? [];
  return encoded === undefined ? undefined : decodeURIComponent(encoded);
}
