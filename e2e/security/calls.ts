import { operations, stringifyJson, type Input, type Operation, type OperationId } from '@millrace/api';

/** A raw answer, so that everything in it can be checked. */
export interface Raw {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

export type Call = (operationId: OperationId, input?: Partial<Input>, query?: string) => Promise<Raw>;

/** Calls any operation of a server with a token. Of a stream it reads the part that is there. */
export function callerAt(url: string, token?: string): Call {
  return async (operationId, input = {}, query = '') => {
    const operation: Operation = operations[operationId];
    const target = operation.path.replace(/\{(\w+)\}/g, (_, name: string) =>
      encodeURIComponent(String((input.path as Record<string, unknown> | undefined)?.[name])),
    );
    const { type, body } = contentOf(operation, input);
    const response = await fetch(`${url}${target}${query}`, {
      method: operation.method,
      headers: { ...(token && { 'x-authorization': token }), ...(type && { 'content-type': type }) },
      ...(body && { body }),
    });
    const isStream = operation.effect === 'stream' && response.ok;
    const text = isStream ? await readStream(response) : await response.text();
    return { status: response.status, text, headers: response.headers };
  };
}

function contentOf({ body: kind }: Operation, { body }: Partial<Input>) {
  if (body === undefined) return {};
  if (kind !== 'file') return { type: 'application/json', body: stringifyJson(body) };
  const line = '----security';
  const head = `--${line}\r\ncontent-disposition: form-data; name="file"; filename="items.csv"\r\n\r\n`;
  return {
    type: `multipart/form-data; boundary=${line}`,
    body: `${head}customer\r\nx\r\n\r\n--${line}--\r\n`,
  };
}

/** The first part of a stream. */
async function readStream(response: Response): Promise<string> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const piece of response.body ?? []) {
    text += decoder.decode(piece as Uint8Array, { stream: true });
    if (text.includes('\n\n')) break;
  }
  return text;
}
