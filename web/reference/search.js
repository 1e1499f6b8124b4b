import { parametersOf, resolve } from './contract.js';

/**
 * @typedef {import('./contract.js').Contract} Contract
 * @typedef {import('./contract.js').PlacedOperation} PlacedOperation
 * @typedef {import('./contract.js').Schema} Schema
 */

/**
 * The names by which an operation is called.
 * @param {PlacedOperation} operation
 */
export function namesOf({ summary, operationId, method, path, ...more }) {
  return [summary, operationId, method, path, more['x-also'], more['x-cli']].filter(Boolean).join(' ');
}

/**
 * More words by which an operation may be looked for: its description, its parameters and the members of its body.
 * @param {Contract} contract
 * @param {PlacedOperation} operation
 */
export function wordsOf(contract, operation) {
  const [media] = Object.values(operation.requestBody?.content ?? {});
  const parameters = parametersOf(contract, operation).map(({ name }) => name);
  const members = media ? membersOf(contract, media.schema) : [];
  return [operation.description, ...parameters, ...new Set(members)].filter(Boolean).join(' ');
}

/**
 * Whether a text holds all words typed, whatever their case.
 * @param {string} typed
 * @param {string} text
 */
export function holds(typed, text) {
  const held = text.toLowerCase();
  return typed
    .toLowerCase()
    .split(/\s+/)
    .every((word) => held.includes(word));
}

/**
 * The names of members that a request may have, also of those inside lists and objects.
 * @param {Contract} contract
 * @param {Schema} schema
 * @param {number} [depth] how deep it lies, for schemas that hold themselves
 * @returns {string[]}
 */
function membersOf(contract, schema, depth = 0) {
  const { properties = {}, items } = resolve(contract, schema);
  if (depth > 3) return [];
  if (items) return membersOf(contract, items, depth + 1);
  return Object.entries(properties).flatMap(([name, member]) =>
    resolve(contract, member).readOnly ? [] : [name, ...membersOf(contract, member, depth + 1)],
  );
}
