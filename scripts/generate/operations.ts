import { takesKey, type Contract, type ContractOperation } from './contract.ts';

/** The operations table: everything that server, client and command line need to know of each operation, by operationId. */
export function operationsTable(contract: Contract): string {
  const rows = Object.entries(contract.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => [operation.operationId, row(path, method, operation)]),
  );
  return `export const operations = ${JSON.stringify(Object.fromEntries(rows), null, 2)} as const;\n`;
}

// Enough for the longest texts of an operation that takes no lists.
const usualBodyBytes = 64 * 1024;

function row(path: string, method: string, operation: ContractOperation) {
  const success = Object.keys(operation.responses).find((status) => status.startsWith('2'));
  const media = Object.keys(operation.requestBody?.content ?? {})[0];
  return {
    method: method.toUpperCase(),
    path,
    also: operation['x-also'] ?? null,
    body: media === undefined ? null : media === 'multipart/form-data' ? 'file' : 'json',
    lines: operation['x-lines'] ?? null,
    bodyRequired: operation.requestBody?.required ?? false,
    bodyBytes: bodyBytesOf(operation),
    takesKey: takesKey(path, operation),
    success: Number(success),
    permission: operation['x-permission'],
    queue: operation['x-queue'] ?? null,
    effect: operation['x-effect'],
    browser: operation['x-browser'] ?? false,
    cli: operation['x-cli'] ?? null,
    summary: operation.summary,
  };
}

/** The most bytes of a body; null for as many as the server takes of any. */
function bodyBytesOf({ operationId, 'x-body-bytes': bytes = usualBodyBytes }: ContractOperation) {
  if (bytes !== 'most' && !Number.isSafeInteger(bytes))
    throw new Error(`x-body-bytes of ${operationId} must be a whole number, or "most"`);
  return bytes === 'most' ? null : bytes;
}
