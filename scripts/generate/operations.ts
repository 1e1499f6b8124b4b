import type { Contract, ContractOperation } from './contract.ts';

/** The operations table: what server, client and command line need to know of each operation, by operationId. */
export function operationsTable(contract: Contract): string {
  const rows = Object.entries(contract.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => [operation.operationId, row(path, method, operation)]),
  );
  return `export const operations = ${JSON.stringify(Object.fromEntries(rows), null, 2)} as const;\n`;
}

function row(path: string, method: string, operation: ContractOperation) {
  const success = Object.keys(operation.responses).find((status) => status.startsWith('2'));
  const media = Object.keys(operation.requestBody?.content ?? {})[0];
  return {
    method: method.toUpperCase(),
    path,
    also: operation['x-also'] ?? null,
    body: media === undefined ? null : media === 'multipart/form-data' ? 'file' : 'json',
    bodyRequired: operation.requestBody?.required ?? false,
    success: Number(success),
    permission: operation['x-permission'],
    queue: operation['x-queue'] ?? null,
    effect: operation['x-effect'],
    cli: operation['x-cli'] ?? null,
    summary: operation.summary,
  };
}
