/** @typedef {Node | string | false | null | undefined} Child */

/**
 * Builds an element. Texts stay texts, so that nothing in the contract or in an answer can become markup.
 * @template {keyof HTMLElementTagNameMap} Name
 * @param {Name} name
 * @param {Record<string, string | boolean | EventListener | undefined>} [attributes] listeners begin with "on"
 * @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[Name]}
 */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') made.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== false) made.setAttribute(key, value === true ? '' : value);
  }
  made.append(...children.flat().filter(isThere));
  return made;
}

/**
 * @param {Child} child
 * @returns {child is Node | string}
 */
function isThere(child) {
  return child !== undefined && child !== null && child !== false;
}

/**
 * The element with this id, which the page has.
 * @param {string} id
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`The page has no element ${id}`);
  return found;
}

/**
 * A text with names in `backticks`.
 * @param {string} text
 */
export function inline(text) {
  return text.split('`').map((part, index) => (index % 2 ? element('code', {}, part) : part));
}

/**
 * A text of paragraphs, which blank lines or, in folded YAML, single line ends part.
 * @param {string} [text]
 */
export function prose(text = '') {
  return text
    .split(/\n+/)
    .filter(Boolean)
    .map((paragraph) => element('p', {}, ...inline(paragraph)));
}

/**
 * A button that puts a text on the clipboard.
 * @param {HTMLElement} source the element with the text
 */
export function copyButton(source) {
  const button = element('button', { type: 'button', class: 'copy', onclick: () => void copy() }, 'Copy');
  async function copy() {
    button.textContent = (await isCopied(source)) ? 'Copied' : 'Selected';
    setTimeout(() => (button.textContent = 'Copy'), 2000);
  }
  return element('span', { class: 'copying', 'aria-live': 'polite' }, button);
}

/**
 * Copies a text. Browsers refuse to on pages without TLS from other machines: there the text is selected.
 * @param {HTMLElement} source
 */
async function isCopied(source) {
  try {
    await navigator.clipboard.writeText(source.textContent ?? '');
    return true;
  } catch {
    getSelection()?.selectAllChildren(source);
    return false;
  }
}
