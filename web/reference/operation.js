import { parametersOf, resolve } from './contract.js';
import { bench } from './bench.js';
import { element, inline, prose } from './dom.js';
import { memberList, typeOf } from './schema.js';

/**
 * @typedef {import('./contract.js').Contract} Contract
 * @typedef {import('./contract.js').PlacedOperation} PlacedOperation
 */

/**
 * An operation: what it does and takes on the one side, how a request and its answer look on the other.
 * @param {Contract} contract
 * @param {PlacedOperation} operation
 */
export function operationArticle(contract, operation) {
  const { operationId, summary, description } = operation;
  const link = element(
    'a',
    { class: 'anchor', href: `#${operationId}`, 'aria-label': `Link to ${summary}` },
    '#',
  );
  return element(
    'article',
    { id: operationId, class: 'operation' },
    element(
      'div',
      { class: 'reading' },
      element('h3', {}, summary, link),
      route(operation),
      ...prose(description),
      facts(operation),
      ...input(contract, operation),
      ...answers(contract, operation),
    ),
    element('div', { class: 'bench' }, ...bench(contract, operation)),
  );
}

/** @param {PlacedOperation} operation */
function route({ method, path }) {
  const steps = path
    .split(/(\{\w+\})/)
    .map((step) => (step.startsWith('{') ? element('em', {}, step) : step));
  return element(
    'p',
    { class: 'route' },
    element('b', { class: `method ${method}` }, method),
    element('code', {}, ...steps),
  );
}

/** @param {PlacedOperation} operation */
function facts({ operationId, ...operation }) {
  const rows = [
    ['Operation', operationId],
    [
      'Permission',
      ['public', 'oneself'].includes(operation['x-permission']) ? '' : operation['x-permission'],
    ],
    ['Right in the queue', operation['x-queue']?.join(' or ')],
    ['Older path', operation['x-also']],
    ['Command line', operation['x-cli'] && `millrace ${operation['x-cli']}`],
  ].filter(([, value]) => value);
  return element(
    'dl',
    { class: 'facts' },
    ...rows.map(([name, value]) =>
      element('div', {}, element('dt', {}, name), element('dd', {}, element('code', {}, value))),
    ),
  );
}

/**
 * @param {Contract} contract
 * @param {PlacedOperation} operation
 */
function input(contract, operation) {
  const parameters = parametersOf(contract, operation).map(({ name, description = '', schema, ...rest }) =>
    element(
      'li',
      {},
      element('code', { class: 'name' }, name),
      element('span', { class: 'type' }, `${typeOf(contract, schema)} in the ${rest.in}`),
      Boolean(rest.required) && element('span', { class: 'required' }, 'required'),
      element('div', { class: 'about' }, ...inline(description)),
    ),
  );
  const [media] = Object.values(operation.requestBody?.content ?? {});
  const members = media && memberList(contract, media.schema, 'request');
  const kind = operation.requestBody?.required ? '' : ', optional';
  return [
    ...(parameters.length > 0
      ? [element('h4', {}, 'Parameters'), element('ul', { class: 'members' }, ...parameters)]
      : []),
    ...(members ? [element('h4', {}, `Body${kind}`), members] : []),
  ];
}

/**
 * @param {Contract} contract
 * @param {PlacedOperation} operation
 */
function answers(contract, operation) {
  const all = Object.entries(operation.responses).map(([status, response]) => ({
    status,
    ...resolve(contract, response),
  }));
  const errors = all.filter(({ status }) => status >= '400');
  const good = all
    .filter(({ status }) => status < '400')
    .map(({ status, description, content = {} }) => {
      const [media] = Object.values(content);
      const title = [element('b', { class: 'good' }, status), ...inline(description)];
      const members = media && memberList(contract, media.schema, 'answer');
      if (!members) return element('p', { class: 'answer' }, ...title);
      return element('details', { class: 'answer' }, element('summary', {}, ...title), members);
    });
  const list = errors.map(({ status, description }) =>
    element('li', {}, element('b', {}, status), ...inline(description)),
  );
  const codes = errors.flatMap(({ status }) => [' ', element('b', {}, status)]);
  const refusals = element(
    'details',
    { class: 'answer refusals' },
    element('summary', {}, 'Errors ', ...codes),
    element('ul', {}, ...list),
  );
  return [element('h4', {}, 'Answers'), ...good, refusals];
}
