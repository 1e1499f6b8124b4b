/**
 * @typedef {object} Schema
 * @property {string} [$ref]
 * @property {string | string[]} [type]
 * @property {string} [format]
 * @property {string} [description]
 * @property {unknown[]} [enum]
 * @property {unknown[]} [examples]
 * @property {Record<string, Schema>} [properties]
 * @property {string[]} [required]
 * @property {Schema} [items]
 * @property {boolean} [readOnly]
 * @property {boolean} [additionalProperties]
 * @property {number} [minimum]
 * @property {number} [maximum]
 * @property {number} [minLength]
 * @property {number} [maxLength]
 * @property {number} [minItems]
 * @property {number} [maxItems]
 *
 * @typedef {{ summary?: string, value: unknown }} Example
 * @typedef {{ schema: Schema, examples?: Record<string, Example> }} Media
 * @typedef {{ $ref?: string, name: string, in: 'path' | 'query' | 'header', required?: boolean, description?: string,
 *   example?: unknown, schema: Schema }} Parameter
 * @typedef {{ $ref?: string, description: string, content?: Record<string, Media> }} Response
 *
 * @typedef {object} Operation
 * @property {string} operationId
 * @property {string} summary
 * @property {string} [description]
 * @property {string[]} tags
 * @property {unknown[]} [security]
 * @property {Parameter[]} [parameters]
 * @property {{ required?: boolean, content: Record<string, Media> }} [requestBody]
 * @property {Record<string, Response>} responses
 * @property {string} x-permission
 * @property {string[]} [x-queue]
 * @property {string} x-effect
 * @property {string} [x-also]
 * @property {string} [x-cli]
 *
 * @typedef {Operation & { method: string, path: string }} PlacedOperation
 * @typedef {{ name: string, 'x-displayName'?: string, description?: string }} Tag
 *
 * @typedef {object} Contract
 * @property {{ title: string, version: string, description: string }} info
 * @property {Tag[]} tags
 * @property {Record<string, Record<string, Operation>>} paths
 * @property {Record<string, Record<string, unknown>>} components
 */

/** @returns {Promise<Contract>} */
export async function fetchContract() {
  const response = await fetch('openapi.json');
  if (!response.ok) throw new Error(`The contract cannot be read: the server answered ${response.status}.`);
  return response.json();
}

/**
 * The thing that a reference stands for; anything else is answered as it is.
 * @template {{ $ref?: string }} Part
 * @param {Contract} contract
 * @param {Part} part
 * @returns {Part}
 */
export function resolve(contract, part) {
  if (!part.$ref) return part;
  const [kind = '', name = ''] = part.$ref.split('/').slice(-2);
  return /** @type {Part} */ (contract.components[kind]?.[name]);
}

/**
 * The name of a schema that is referred to.
 * @param {Schema} schema
 */
export function nameOf(schema) {
  return schema.$ref?.split('/').at(-1);
}

/**
 * The operations of each tag, in the order of the contract's tags.
 * @param {Contract} contract
 */
export function sections(contract) {
  const placed = Object.entries(contract.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ ...operation, method: method.toUpperCase(), path })),
  );
  return contract.tags.map((tag) => ({
    tag,
    title: tag['x-displayName'] ?? tag.name,
    operations: placed.filter(({ tags }) => tags.includes(tag.name)),
  }));
}

/**
 * The answer to a request that succeeds.
 * @param {Contract} contract
 * @param {Operation} operation
 */
export function answerOf(contract, operation) {
  const success = Object.entries(operation.responses).find(([status]) => status < '400');
  if (!success) return undefined;
  const [status, response] = success;
  return { status, content: resolve(contract, response).content ?? {} };
}

/**
 * Whether the answer goes on for as long as the reader stays.
 * @param {Operation} operation
 */
export function isStream(operation) {
  return operation['x-effect'] === 'stream';
}

/**
 * The parameters of an operation.
 * @param {Contract} contract
 * @param {Operation} operation
 */
export function parametersOf(contract, operation) {
  return (operation.parameters ?? []).map((parameter) => resolve(contract, parameter));
}
