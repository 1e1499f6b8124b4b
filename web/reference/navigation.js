import { byId, element } from './dom.js';
import { holds, namesOf, wordsOf } from './search.js';

/**
 * @typedef {import('./contract.js').Contract} Contract
 * @typedef {ReturnType<typeof import('./contract.js').sections>} Sections
 * @typedef {import('./contract.js').PlacedOperation} PlacedOperation
 */

/**
 * The operations by tag, beside the page; typing narrows them.
 * @param {Contract} contract
 * @param {Sections} sections
 */
export function fillNavigation(contract, sections) {
  const groups = sections.map(({ title, tag, operations }) =>
    element(
      'section',
      {},
      element('h2', {}, element('a', { href: `#tag-${tag.name}` }, title)),
      element('ul', {}, ...operations.map((operation) => entry(contract, operation))),
    ),
  );
  byId('operations').append(...groups);
}

/**
 * @param {Contract} contract
 * @param {PlacedOperation} operation
 */
function entry(contract, operation) {
  const { operationId, summary, method, path } = operation;
  return element(
    'li',
    { 'data-names': namesOf(operation), 'data-words': wordsOf(contract, operation) },
    element(
      'a',
      { href: `#${operationId}`, title: path },
      element('span', {}, summary),
      element('b', { class: `method ${method}` }, method),
    ),
  );
}

/** Narrows the operations to those that hold all words typed; Enter goes to the best of them, / comes here. */
export function prepareSearch() {
  const search = /** @type {HTMLInputElement} */ (byId('search'));
  search.addEventListener('input', () => narrow(search.value));
  search.addEventListener('keydown', ({ key }) => {
    if (key === 'Enter') best(search.value)?.click();
    if (key !== 'Escape') return;
    search.value = '';
    narrow('');
  });
  document.addEventListener('keydown', (event) => {
    const isTyping = event.target instanceof Element && event.target.closest('input, textarea, select');
    if (event.key !== '/' || isTyping) return;
    event.preventDefault();
    document.body.classList.add('is-open');
    search.focus();
  });
}

/** @param {string} typed */
function narrow(typed) {
  for (const group of byId('operations').querySelectorAll('section')) {
    for (const item of group.querySelectorAll('li'))
      item.hidden = !holds(typed, `${item.dataset['names']} ${item.dataset['words'] ?? ''}`);
    group.hidden = !group.querySelector('li:not([hidden])');
  }
  byId('found').textContent = typed.trim() && found(itemsShown().length);
}

/** @param {number} count */
function found(count) {
  if (count === 0) return 'Nothing has these words.';
  return count === 1 ? '1 has these words.' : `${count} have these words.`;
}

/**
 * The first that is called by the words typed, or else the first that speaks of them.
 * @param {string} typed
 * @returns {HTMLElement | null | undefined}
 */
function best(typed) {
  const items = itemsShown();
  const item = items.find(({ dataset }) => holds(typed, dataset['names'] ?? '')) ?? items[0];
  return item?.querySelector('a');
}

/** @returns {HTMLElement[]} */
function itemsShown() {
  return [...byId('operations').querySelectorAll('li')].filter(({ hidden }) => !hidden);
}

/** On narrow screens the navigation lies over the page and closes with a choice. */
export function prepareMenu() {
  const menu = byId('menu');
  const set = (/** @type {boolean} */ isOpen) => {
    document.body.classList.toggle('is-open', isOpen);
    menu.setAttribute('aria-expanded', String(isOpen));
  };
  menu.addEventListener('click', () => set(!document.body.classList.contains('is-open')));
  byId('navigation').addEventListener('click', ({ target }) => {
    if (target instanceof Element && target.closest('a')) set(false);
  });
}

/** Marks what is being read, and keeps the mark in sight. */
export function markWhatIsRead() {
  const links = [...byId('navigation').querySelectorAll('li a, h2 a')];
  const places = links.flatMap((link) => {
    const place = document.getElementById(link.getAttribute('href')?.slice(1) ?? '');
    return place ? [{ link, place }] : [];
  });
  const show = () => {
    const line = innerHeight * 0.2;
    const read = places.findLast(({ place }) => place.getBoundingClientRect().top < line);
    mark((read ?? places[0])?.link);
  };
  addEventListener('scroll', () => requestAnimationFrame(show), { passive: true });
  show();
}

/** @param {Element | undefined} link */
function mark(link) {
  const marked = byId('navigation').querySelector('[aria-current]');
  if (!link || link === marked) return;
  marked?.removeAttribute('aria-current');
  link.setAttribute('aria-current', 'true');
  link.scrollIntoView({ block: 'nearest' });
}
