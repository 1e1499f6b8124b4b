/** One operation of the contract, as far as the generator looks at it. */
export interface ContractOperation {
  operationId: string;
  summary: string;
  description?: string;
  tags: string[];
  security?: unknown[];
  parameters?: unknown[];
  requestBody?: { required?: boolean; content: Record<string, unknown> };
  responses: Record<string, unknown>;
  'x-permission': string;
  'x-queue'?: string[];
  'x-effect': string;
  'x-body-bytes'?: number | 'most';
  'x-members'?: 'open';
  'x-browser'?: true;
  'x-lines'?: string;
  'x-also'?: string;
  'x-cli'?: string;
}

export interface Contract {
  paths: Record<string, Record<string, ContractOperation>>;
  components: Record<string, Record<string, unknown>>;
  [member: string]: unknown;
}

/** Puts the fragments into one OpenAPI document; a name that two fragments define is an error. */
export function mergeContract(fragments: Partial<Contract>[]): Contract {
  const [common, ...domains] = fragments;
  const merged: Contract = { ...common, paths: {}, components: {} };
  for (const fragment of [{ components: common?.components ?? {} }, ...domains]) {
    for (const [path, item] of Object.entries(fragment.paths ?? {})) addPath(merged, path, item);
    for (const [kind, entries] of Object.entries(fragment.components ?? {}))
      addComponents(merged, kind, entries);
  }
  return merged;
}

function addPath(contract: Contract, path: string, item: Record<string, ContractOperation>) {
  if (contract.paths[path]) throw new Error(`${path} is defined twice`);
  contract.paths[path] = {};
  for (const [method, operation] of Object.entries(item)) {
    const parameters = [
      ...(operation.parameters ?? []),
      ...(takesKey(path, operation) ? [{ $ref: '#/components/parameters/IdempotencyKey' }] : []),
    ];
    contract.paths[path][method] = {
      ...operation,
      ...(parameters.length > 0 && { parameters }),
      responses: withCommonResponses(path, operation),
    };
  }
}

function addComponents(contract: Contract, kind: string, entries: Record<string, unknown>) {
  const target = (contract.components[kind] ??= {});
  for (const [name, value] of Object.entries(entries)) {
    if (name in target) throw new Error(`components.${kind}.${name} is defined twice`);
    target[name] = value;
  }
}

/** Whether a call may have a name under which it is done once. A file is known by its content. */
export function takesKey(path: string, operation: ContractOperation): boolean {
  const writes = ['write', 'batch', 'steps'].includes(operation['x-effect']);
  return path.startsWith('/v4/') && writes && !takesFile(operation);
}

function takesFile({ requestBody }: ContractOperation): boolean {
  return requestBody?.content['multipart/form-data'] !== undefined;
}

/** Each operation names its success and its special responses; the refusals that follow from its shape are added here. */
function withCommonResponses(path: string, operation: ContractOperation): Record<string, unknown> {
  const isQueueOperation = operation['x-queue'] !== undefined;
  const isOfSomebody = operation['x-permission'] !== 'public' || path.includes('authentication');
  const added: Record<string, string | false> = {
    // A parameter that an operation does not know is refused, also where it knows none.
    400: 'BadRequest',
    401: isOfSomebody && 'Unauthenticated',
    403: operation['x-permission'] !== 'public' && 'Forbidden',
    404: (isQueueOperation || path.includes('{')) && 'NotFound',
    // An archived queue can be read only.
    409:
      (takesKey(path, operation) ||
        (isQueueOperation && !['read', 'download'].includes(operation['x-effect']))) &&
      'Conflict',
    413: Boolean(operation.requestBody) && 'TooLarge',
    415: Boolean(operation.requestBody) && 'UnsupportedMediaType',
    429: isOfSomebody && 'TooManyRequests',
    500: 'Failure',
    503: 'Unavailable',
  };
  const common = Object.entries(added)
    .filter(([, name]) => name)
    .map(([status, name]) => [status, { $ref: `#/components/responses/${name}` }]);
  return { ...Object.fromEntries(common), ...operation.responses };
}
