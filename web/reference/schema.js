import { nameOf, resolve } from './contract.js';
import { element, inline } from './dom.js';

/**
 * @typedef {import('./contract.js').Contract} Contract
 * @typedef {import('./contract.js').Schema} Schema
 * @typedef {'request' | 'answer'} Use
 */

/**
 * The members of an object, or of the objects in a list, as rows; what they hold opens below them.
 * @param {Contract} contract
 * @param {Schema} schema
 * @param {Use} use
 * @param {string[]} [above] names of the schemas around it, so that one that holds itself ends
 * @returns {HTMLElement | undefined}
 */
export function memberList(contract, schema, use, above = []) {
  const { properties = {}, required = [] } = objectIn(contract, schema);
  const shown = Object.entries(properties).filter(
    ([, member]) => use === 'answer' || !resolve(contract, member).readOnly,
  );
  // A list around one thing says little: what it holds is shown at once.
  const isOpen = shown.length <= 2;
  const rows = shown.map(([name, member]) =>
    memberRow(contract, {
      name,
      member,
      isRequired: required.includes(name) && use === 'request',
      isOpen,
      use,
      above,
    }),
  );
  return rows.length > 0 ? element('ul', { class: 'members' }, ...rows) : undefined;
}

/**
 * @param {Contract} contract
 * @param {{ name: string, member: Schema, isRequired: boolean, isOpen: boolean, use: Use, above: string[] }} row
 */
function memberRow(contract, { name, member, isRequired, isOpen, use, above }) {
  const schema = resolve(contract, member);
  const inner = nameOf(member) ?? nameOf(schema.items ?? {}) ?? '';
  const members = above.includes(inner) ? undefined : memberList(contract, member, use, [...above, inner]);
  return element(
    'li',
    {},
    element('code', { class: 'name' }, name),
    element(
      'span',
      { class: 'type' },
      [typeOf(contract, member), limitsOf(schema)].filter(Boolean).join(', '),
    ),
    isRequired && element('span', { class: 'required' }, 'required'),
    element('div', { class: 'about' }, ...about(schema)),
    members &&
      element('details', { open: isOpen }, element('summary', {}, `Members of ${inner || name}`), members),
  );
}

/**
 * The schema of the object itself, or of the entries of a list.
 * @param {Contract} contract
 * @param {Schema} schema
 * @returns {Schema}
 */
function objectIn(contract, schema) {
  const { items, ...rest } = resolve(contract, schema);
  return items ? objectIn(contract, items) : rest;
}

/**
 * @param {Contract} contract
 * @param {Schema} schema
 * @returns {string}
 */
export function typeOf(contract, schema) {
  const { type, format, items } = resolve(contract, schema);
  const kinds = [type ?? 'anything'].flat().map((kind) => {
    if (kind === 'array' && items) return `list of ${nameOf(items) ?? typeOf(contract, items)}`;
    if (kind === 'object') return nameOf(schema) ?? 'object';
    if (format === 'int64') return '64-bit integer';
    return format === 'date-time' && kind === 'string' ? 'time' : kind;
  });
  return kinds.join(' or ');
}

/**
 * The meaning of a member, and which values it takes.
 * @param {Schema} schema
 */
function about(schema) {
  const choices = schema.enum ?? [];
  return [
    ...(schema.description ? [element('span', {}, ...inline(withStop(schema.description)))] : []),
    ...(choices.length > 0 ? [element('span', { class: 'choices' }, ...choices.map(choice))] : []),
  ];
}

/** @param {unknown} value */
function choice(value) {
  return element('code', {}, String(value));
}

/** @param {string} text */
function withStop(text) {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** @param {Schema} schema */
function limitsOf({ minimum, maximum, minLength, maxLength, minItems, maxItems }) {
  return [
    range(minimum, maximum, ''),
    range(minLength, maxLength, ' characters'),
    range(minItems, maxItems, ' entries'),
  ]
    .filter(Boolean)
    .join(', ');
}

/**
 * @param {number | undefined} from
 * @param {number | undefined} to
 * @param {string} unit
 */
function range(from, to, unit) {
  const [low, high] = [from, to].map((value) => value?.toLocaleString('en'));
  if (low !== undefined && high !== undefined) return `${low} to ${high}${unit}`;
  if (high !== undefined) return `at most ${high}${unit}`;
  return low === undefined ? '' : `at least ${low}${unit}`;
}
