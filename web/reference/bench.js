import { isStream, resolve } from './contract.js';
import { copyButton, element } from './dom.js';
import { curlOf, exampleParameters, samples, streamSample } from './example.js';
import { parts } from './json.js';
import { requestFields, send, watch } from './request.js';

/**
 * @typedef {import('./contract.js').Contract} Contract
 * @typedef {import('./contract.js').PlacedOperation} PlacedOperation
 * @typedef {import('./example.js').Sample} Sample
 * @typedef {import('./example.js').Values} Values
 * @typedef {import('./request.js').Answer} Answer
 */

/**
 * A request as a command, with its examples; a place to try it; and an answer.
 * @param {Contract} contract
 * @param {PlacedOperation} operation
 */
export function bench(contract, operation) {
  const media = operation.requestBody?.content['application/json'];
  const bodies = media ? samples(contract, media, 'request') : [];
  /** @type {Values} */
  const values = {
    parameters: exampleParameters(contract, operation),
    ...(bodies[0] && { body: bodies[0].text }),
  };
  const code = element('code');
  const show = () => showCommand(code, operation, values);
  const fields = element('div', { class: 'fields' });
  const renew = () => fields.replaceChildren(...requestFields(contract, operation, values, show));
  const choose = chooser(bodies, ({ text }) => {
    values.body = text;
    show();
    renew();
  });
  show();
  renew();
  return [panel('Request', choose, code), trial(operation, values, fields), answerPanel(contract, operation)];
}

/**
 * @param {HTMLElement} code
 * @param {PlacedOperation} operation
 * @param {Values} values
 */
function showCommand(code, operation, values) {
  const { command, body } = curlOf(operation, values);
  code.replaceChildren(command, ...coloured(body));
}

/**
 * @param {string} title
 * @param {HTMLElement | undefined} choose
 * @param {HTMLElement} code
 */
function panel(title, choose, code) {
  const head = element(
    'header',
    {},
    element('span', {}, title),
    choose,
    copyButton(() => code.textContent ?? ''),
  );
  return element('figure', { class: 'panel' }, head, element('pre', { tabindex: '0' }, code));
}

/**
 * @param {Sample[]} choices
 * @param {(chosen: Sample) => void} onChoice
 */
function chooser(choices, onChoice) {
  if (choices.length < 2) return undefined;
  const options = choices.map(({ title }, index) => element('option', { value: String(index) }, title));
  const select = element('select', { 'aria-label': 'Example' }, ...options);
  select.addEventListener('change', () => {
    const chosen = choices[Number(select.value)];
    if (chosen) onChoice(chosen);
  });
  return select;
}

/**
 * @param {PlacedOperation} operation
 * @param {Values} values
 * @param {HTMLElement} fields
 */
function trial(operation, values, fields) {
  const outcome = element('div', { class: 'outcome', 'aria-live': 'polite' });
  const button = element('button', { type: 'submit' }, 'Send');
  const form = element('form', {}, fields, button, outcome);
  /** @param {Answer} answer */
  const show = ({ title, isGood, text }) => {
    const shown = panel(title, undefined, element('code', {}, ...coloured(text)));
    shown.classList.add(isGood ? 'good' : 'bad');
    outcome.replaceChildren(shown);
  };
  const begin = isStream(operation)
    ? watcher(operation, values, button, show)
    : sender(operation, values, form, show);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    outcome.replaceChildren('Waiting for the answer …');
    begin();
  });
  return element('details', { class: 'trial' }, element('summary', {}, 'Try it on this server'), form);
}

/**
 * @param {PlacedOperation} operation
 * @param {Values} values
 * @param {HTMLElement} form
 * @param {(answer: Answer) => void} show
 */
function sender(operation, values, form, show) {
  return () => {
    const file = form.querySelector('input[type=file]');
    const [chosen] = (file instanceof HTMLInputElement && file.files) || [];
    void send(operation, values, chosen).then(show);
  };
}

/**
 * The button opens the stream, and ends it.
 * @param {PlacedOperation} operation
 * @param {Values} values
 * @param {HTMLElement} button
 * @param {(answer: Answer) => void} show
 */
function watcher(operation, values, button, show) {
  /** @type {AbortController | undefined} */
  let open;
  return () => {
    if (open) return open.abort();
    open = new AbortController();
    button.textContent = 'Stop';
    void watch(operation, values, open.signal, show).finally(() => {
      open = undefined;
      button.textContent = 'Send';
    });
  };
}

/**
 * @param {Contract} contract
 * @param {PlacedOperation} operation
 */
function answerPanel(contract, operation) {
  const [success] = Object.entries(operation.responses).filter(([status]) => status < '400');
  if (!success) return undefined;
  const [status, response] = success;
  const content = resolve(contract, response).content ?? {};
  const events = content['text/event-stream'];
  if (events)
    return panel(`Answer ${status}`, undefined, element('code', {}, streamSample(contract, events)));
  const media = content['application/json'];
  if (!media) return panel(`Answer ${status}`, undefined, element('code', {}, 'No body.'));
  const bodies = samples(contract, media, 'answer');
  const code = element('code', {}, ...coloured(bodies[0]?.text ?? ''));
  const choose = chooser(bodies, ({ text }) => code.replaceChildren(...coloured(text)));
  return panel(`Answer ${status}`, choose, code);
}

// Beyond this, colours cost more time than they save.
const longestColoured = 200_000;

/** @param {string} text */
function coloured(text) {
  if (text.length > longestColoured) return [text];
  return parts(text).map(({ kind, part }) => (kind ? element('span', { class: kind }, part) : part));
}
