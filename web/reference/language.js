import { languages } from './code.js';
import { element } from './dom.js';

const place = 'millrace-language';

/** @type {Set<() => void>} */
const listeners = new Set();

/** The language in which the reader wants to see requests; the browser remembers it. */
export function currentLanguage() {
  const chosen = localStorage.getItem(place);
  const [first] = languages;
  const language = languages.find(({ id }) => id === chosen) ?? first;
  if (!language) throw new Error('There is no language');
  return language;
}

/**
 * Tells of each change of the language.
 * @param {() => void} listener
 */
export function onLanguage(listener) {
  listeners.add(listener);
}

/**
 * Buttons for the languages, of which one is pressed; all on the page change together.
 * @param {string} name of the group, which no other has
 */
export function languageChoice(name) {
  const choices = languages.map(({ id, title }) => {
    const radio = element('input', { type: 'radio', name, value: id });
    radio.addEventListener('change', () => choose(id, radio));
    return { radio, label: element('label', {}, radio, title) };
  });
  const show = () => {
    for (const { radio } of choices) radio.checked = radio.value === currentLanguage().id;
  };
  show();
  onLanguage(show);
  const labels = choices.map(({ label }) => label);
  return element('fieldset', { class: 'languages', 'aria-label': 'Language' }, ...labels);
}

/**
 * Changes the language everywhere. Code above may become longer: what was pressed stays where it is on the screen.
 * @param {string} id
 * @param {HTMLElement} pressed
 */
function choose(id, pressed) {
  const before = pressed.getBoundingClientRect().top;
  localStorage.setItem(place, id);
  for (const listener of listeners) listener();
  scrollBy({ top: pressed.getBoundingClientRect().top - before, behavior: 'instant' });
}
