import { callOf, codeOf } from './code.js';
import { answerOf, isStream } from './contract.js';
import { copyButton, element } from './dom.js';
import { exampleParameters, samples, streamSample } from './example.js';
import { parts } from './json.js';
import { currentLanguage, languageChoice, onLanguage } from './language.js';
import { requestFields, send, watch } from './request.js';

/**
 * @typedef {import('./contract.js').Contract} Contract
 * @typedef {import('./contract.js').PlacedOperation} PlacedOperation
 * @typedef {import('./code.js').Part} Part
 * @typedef {import('./example.js').Sample} Sample
 * @typedef {import('./example.js').Values} Values
 * @typedef {import('./request.js').Answer} Answer
 */

/**
 * A request as code, with its examples; a place to try it; and an answer.
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
  const show = () => {
    const call = callOf(contract, operation, values);
    code.replaceChildren(...pieces(codeOf(currentLanguage(), call, server)));
  };
  const fields = element('div', { class: 'fields' });
  const renew = () => fields.replaceChildren(...requestFields(contract, operation, values, show));
  const choose = chooser(bodies, ({ text }) => {
    values.body = text;
    show();
    renew();
  });
  show();
  onLanguage(show);
  renew();
  const languages = languageChoice(`language-${operation.operationId}`);
  return [panel(languages, choose, code), trial(operation, values, fields), answerPanel(contract, operation)];
}

// Where this page is served from, which may be a folder of another server.
const server = new URL('.', location.href).href.slice(0, -1);

/**
 * @param {string | HTMLElement} title
 * @param {HTMLElement | undefined} choose
 * @param {HTMLElement} code
 */
function panel(title, choose, code) {
  const head = element('header', {}, element('div', { class: 'title' }, title), choose, copyButton(code));
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
  const answer = answerOf(contract, operation);
  if (!answer) return undefined;
  const { status, content } = answer;
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
  return text.length > longestColoured ? [text] : pieces(parts(text));
}

/** @param {Part[]} code */
function pieces(code) {
  return code.map(({ kind, part }) => (kind ? element('span', { class: kind }, part) : part));
}
