import { parametersOf } from './contract.js';
import { element } from './dom.js';
import { targetOf } from './example.js';
import { layOut } from './json.js';
import { currentToken, forget } from './session.js';

/**
 * @typedef {import('./contract.js').Contract} Contract
 * @typedef {import('./contract.js').PlacedOperation} PlacedOperation
 * @typedef {import('./example.js').Values} Values
 * @typedef {{ title: string, isGood: boolean, text: string }} Answer
 */

/**
 * The fields of a request; every change of a value is told.
 * @param {Contract} contract
 * @param {PlacedOperation} operation
 * @param {Values} values the values to begin with; changed as the reader types
 * @param {() => void} onChange
 */
export function requestFields(contract, operation, values, onChange) {
  const fields = parametersOf(contract, operation).map(({ name, description }) => {
    const input = element('input', {
      type: 'text',
      value: values.parameters[name] ?? '',
      autocomplete: 'off',
    });
    input.addEventListener('input', () => {
      values.parameters[name] = input.value;
      onChange();
    });
    return element('label', {}, element('code', {}, name), ` ${description ?? ''}`, input);
  });
  return [...fields, ...bodyField(operation, values, onChange)];
}

/**
 * @param {PlacedOperation} operation
 * @param {Values} values
 * @param {() => void} onChange
 */
function bodyField(operation, values, onChange) {
  if (operation.requestBody?.content['multipart/form-data'])
    return [element('label', {}, 'File', element('input', { type: 'file', name: 'file' }))];
  if (values.body === undefined) return [];
  const area = element('textarea', { spellcheck: 'false', rows: String(lines(values.body)) }, values.body);
  area.addEventListener('input', () => {
    values.body = area.value;
    onChange();
  });
  return [element('label', {}, 'Body', area)];
}

/** @param {string} text */
function lines(text) {
  return Math.min(text.split('\n').length + 1, 20);
}

/**
 * Sends a request to this server.
 * @param {PlacedOperation} operation
 * @param {Values} values
 * @param {File} [file]
 * @returns {Promise<Answer>}
 */
export async function send(operation, values, file) {
  const token = operation.security?.length === 0 ? undefined : currentToken();
  const began = performance.now();
  const response = await fetch(`.${targetOf(operation, values.parameters)}`, {
    method: operation.method,
    headers: {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(values.body && { 'content-type': 'application/json' }),
    },
    ...bodyOf(values, file),
  }).catch(() => undefined);
  if (!response) return { title: 'No answer', isGood: false, text: 'The server cannot be reached.' };
  const text = await response.text();
  if (response.status === 401 && token) forget();
  const time = Math.round(performance.now() - began);
  return { title: `${response.status} in ${time} ms`, isGood: response.ok, text: shown(response, text) };
}

/**
 * @param {Values} values
 * @param {File} [file]
 */
function bodyOf({ body }, file) {
  if (!file) return body ? { body } : {};
  const form = new FormData();
  form.append('file', file);
  return { body: form };
}

/**
 * @param {Response} response
 * @param {string} text
 */
function shown(response, text) {
  const isJson = response.headers.get('content-type')?.startsWith('application/json') && text;
  return isJson ? layOut(text) : text || 'No body.';
}
