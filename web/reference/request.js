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
  const typed = parametersOf(contract, operation).filter((parameter) => parameter.in !== 'header');
  const fields = typed.map(({ name, description }) => {
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
  const began = performance.now();
  const response = await request(operation, values, bodyOf(values, file));
  if (!response) return noAnswer;
  const text = await response.text();
  const time = Math.round(performance.now() - began);
  return { title: `${response.status} in ${time} ms`, isGood: response.ok, text: shown(response, text) };
}

// As much of a stream as somebody would scroll through.
const longestStream = 100_000;

/**
 * Sends a request whose answer is a stream, and tells what has come each time that something comes.
 * @param {PlacedOperation} operation
 * @param {Values} values
 * @param {AbortSignal} signal ends it
 * @param {(answer: Answer) => void} onAnswer
 */
export async function watch(operation, values, signal, onAnswer) {
  const response = await request(operation, values, { signal });
  if (!response?.body) return onAnswer(noAnswer);
  const title = String(response.status);
  if (!response.ok) return onAnswer({ title, isGood: false, text: shown(response, await response.text()) });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (let ended = false; !ended;) {
    const { done, value = '' } = await reader.read().catch(() => ({ done: true, value: '' }));
    ended = done;
    text = (text + value).slice(-longestStream);
    onAnswer({ title: ended ? `${title}, ended` : `${title}, open`, isGood: true, text });
  }
}

/** @type {Answer} */
const noAnswer = { title: 'No answer', isGood: false, text: 'The server cannot be reached.' };

/**
 * @param {PlacedOperation} operation
 * @param {Values} values
 * @param {RequestInit} more
 */
async function request(operation, values, more) {
  const token = operation.security?.length === 0 ? undefined : currentToken();
  const response = await fetch(`.${targetOf(operation, values.parameters)}`, {
    method: operation.method,
    headers: {
      ...(token && { authorization: `Bearer ${token}` }),
      ...(values.body && { 'content-type': 'application/json' }),
    },
    ...more,
  }).catch(() => undefined);
  if (response?.status === 401 && token) forget();
  return response;
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
