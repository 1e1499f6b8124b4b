import { parametersOf, resolve } from './contract.js';
import { layOut } from './json.js';

/**
 * @typedef {import('./contract.js').Contract} Contract
 * @typedef {import('./contract.js').Media} Media
 * @typedef {import('./contract.js').PlacedOperation} PlacedOperation
 * @typedef {import('./contract.js').Schema} Schema
 * @typedef {{ title: string, text: string }} Sample
 * @typedef {{ parameters: Record<string, string>, body?: string }} Values
 */

/**
 * Bodies to show: those that the contract gives as examples, or one made up from the schema.
 * @param {Contract} contract
 * @param {Media} media
 * @param {'request' | 'answer'} use
 * @returns {Sample[]}
 */
export function samples(contract, media, use) {
  const given = Object.values(media.examples ?? {});
  const shown = given.length > 0 ? given : [{ value: madeUp(contract, media.schema, use) }];
  return shown.map(({ summary = 'Example', value }) => ({
    title: summary,
    text: layOut(JSON.stringify(value)),
  }));
}

/**
 * The text of a stream, as it comes over the wire.
 * @param {Contract} contract
 * @param {Media} media
 */
export function streamSample(contract, { schema }) {
  const value = /** @type {Record<string, string>} */ (madeUp(contract, schema, 'answer'));
  return `id: ${value['cursor']}\nevent: ${value['operation']}\ndata: ${JSON.stringify(value)}`;
}

/**
 * A value that fits the schema. Requests leave out what the server sets.
 * @param {Contract} contract
 * @param {Schema} schema
 * @param {'request' | 'answer'} use
 * @param {number} [depth] how deep it lies, for schemas that hold themselves
 * @returns {unknown}
 */
function madeUp(contract, schema, use, depth = 0) {
  const { type, properties = {}, items, ...rest } = resolve(contract, schema);
  const [known] = rest.examples ?? rest.enum ?? [];
  if (known !== undefined) return known;
  const kind = Array.isArray(type) ? type[0] : type;
  if (kind === 'array') return items && depth < 5 ? [madeUp(contract, items, use, depth + 1)] : [];
  if (kind !== 'object') return plain(kind, rest);
  const members = Object.entries(properties).filter(([, member]) => use === 'answer' || !member.readOnly);
  return Object.fromEntries(
    members.map(([name, member]) => [name, madeUp(contract, member, use, depth + 1)]),
  );
}

/**
 * @param {string | undefined} kind
 * @param {Schema} schema
 */
function plain(kind, { format, minimum }) {
  if (kind === 'boolean') return true;
  if (kind === 'integer' || kind === 'number') return minimum ?? 1;
  return format === 'date-time' ? '2026-03-02T08:15:00.000Z' : 'text';
}

/**
 * The values that an operation's parameters have in examples.
 * @param {Contract} contract
 * @param {PlacedOperation} operation
 */
export function exampleParameters(contract, operation) {
  const parameters = parametersOf(contract, operation).filter(({ required }) => required);
  return Object.fromEntries(parameters.map(({ name, example = 1 }) => [name, String(example)]));
}

/**
 * The path and query of a request.
 * @param {PlacedOperation} operation
 * @param {Record<string, string>} parameters
 */
export function targetOf(operation, parameters) {
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(parameters[name] ?? ''));
  const query = Object.entries(parameters).filter(
    ([name, value]) => value && !operation.path.includes(`{${name}}`),
  );
  return query.length > 0 ? `${path}?${new URLSearchParams(query)}` : path;
}
