import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { exportsOf } from './walk/exports.ts';
import { operationsOf } from './walk/operations.ts';
import { openSource, type Source } from './walk/source.ts';
import { figuresOf, isReturn, returnsByDomain, walkFrom, type Visit } from './walk/walk.ts';

/** A server with these files in server/src. */
function createSource(files: Record<string, string>): Source {
  const root = mkdtempSync(path.join(tmpdir(), 'millrace-walk-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const compilerOptions = {
    target: 'es2023',
    module: 'nodenext',
    types: [],
    allowImportingTsExtensions: true,
    noEmit: true,
  };
  writeFileSync(path.join(root, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['server'] }));
  writeFileSync(path.join(root, 'package.json'), '{ "type": "module" }');
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(root, 'server/src', name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return openSource(root);
}

function walk(source: Source, operation: string): Visit[] {
  const start = operationsOf(source).get(operation);
  if (!start) throw new Error(`The list has no ${operation}.`);
  return walkFrom(source, start);
}

const read = (visits: readonly Visit[]) => visits.filter(({ isBack }) => !isBack).map(({ name }) => name);

/** An order is checked, its stock taken from two shelves, and its buyer told. */
const shop = {
  'operations.ts': "export { placeOrder } from './orders/operations.ts';",
  'db.ts': `
    import { count } from './stock/sql.ts';
    export const query = (text: string) => text + count();`,
  'orders/operations.ts': `
    import { query } from '../db.ts';
    import { take } from '../stock/take.ts';
    import { tell } from '../mail/tell.ts';
    import { check } from './rules.ts';
    export function placeOrder(amount: number) {
      check(amount);
      take(amount);
      query('insert');
      tell(amount);
      check(amount);
    }`,
  'orders/rules.ts': `
    const most = 10;
    export const check = (amount: number) => amount < most;
    export const isBig = (amount: number) => amount > 5;`,
  'stock/take.ts': `
    import { isBig } from '../orders/rules.ts';
    import { count } from './sql.ts';
    export const take = (amount: number) => (isBig(amount) ? count() : 0);`,
  'stock/sql.ts': 'export const count = () => 1;',
  'mail/tell.ts': 'export const tell = (amount: number) => amount;',
};

test('walk reads each function once, where the text first refers to it, with its depth and line', () => {
  const visits = walk(createSource(shop), 'placeOrder').filter(({ isBack }) => !isBack);
  expect(visits.map(({ name, file, line, depth }) => [depth, name, `${file}:${line}`])).toEqual([
    [0, 'placeOrder', 'orders/operations.ts:6'],
    [1, 'check', 'orders/rules.ts:3'],
    [1, 'take', 'stock/take.ts:4'],
    [2, 'isBig', 'orders/rules.ts:4'],
    [2, 'count', 'stock/sql.ts:1'],
    [1, 'tell', 'mail/tell.ts:1'],
  ]);
});

test('walk counts files, those of the own domain, domains and functions, and leaves the engine out', () => {
  expect(figuresOf(walk(createSource(shop), 'placeOrder'))).toMatchObject({
    files: 5,
    ownFiles: 2,
    domains: 3,
    functions: 6,
  });
});

test('walk counts as a return each entry into a domain left before, to open a function or to come back to one', () => {
  const visits = walk(createSource(shop), 'placeOrder');
  const returns = visits.filter((_, index) => isReturn(visits, index));
  expect(returns.map(({ isBack, name }) => (isBack ? `back to ${name}` : name))).toEqual([
    'isBig',
    'back to take',
    'back to placeOrder',
    'back to placeOrder',
  ]);
  expect(figuresOf(visits).returns).toBe(4);
  expect(returnsByDomain(visits)).toEqual([
    ['orders', 3],
    ['stock', 1],
  ]);
});

test('walk finds operations behind the lines that pass them on, under other names, and wrapped in a function', () => {
  const source = createSource({
    'operations.ts': `
      export { getHealth } from './health/health.ts';
      export { createUser } from './users/users.ts';
      export { readUser as getUser } from './users/users.ts';
      export { inviteUser } from './users/users.ts';`,
    'db.ts': 'export const wrapped = (work: () => void) => () => work();',
    'health/health.ts': "export { getHealth } from './get.ts'; export const notPromised = () => {};",
    'health/get.ts': 'export const getHealth = () => {};',
    'users/users.ts': `
      import { wrapped } from '../db.ts';
      export function createUser() {}
      export const readUser = () => {};
      export const inviteUser = wrapped(createUser);`,
  });
  const walks = [...operationsOf(source)].map(([name, start]) => [name, read(walkFrom(source, start))]);
  expect(Object.fromEntries(walks)).toEqual({
    getHealth: ['getHealth'],
    createUser: ['createUser'],
    getUser: ['readUser'],
    inviteUser: ['inviteUser', 'createUser'],
  });
});

test('walk follows functions passed as values, tables of functions, re-exports, constructors and methods', () => {
  const source = createSource({
    'operations.ts': "export { ring } from './bells/ring.ts';",
    'bells/ring.ts': `
      import * as tower from './tower.ts';
      const loudness = { soft: tower.softly, loud: tower.loudly };
      export function ring(how: 'soft' | 'loud') {
        const bell = new tower.Bell();
        [1, 2].forEach(tower.strike);
        bell.swing();
        loudness[how]();
      }`,
    'bells/tower.ts': `
      export { strike } from './strike.ts';
      export const softly = () => {};
      export const loudly = () => {};
      const weigh = () => 1;
      export class Bell {
        weight = weigh();
        swing() { this.#turn(); }
        #turn() {}
        still() {}
      }`,
    'bells/strike.ts': 'export function strike() {}',
  });
  expect(read(walk(source, 'ring'))).toEqual([
    'ring',
    'Bell',
    'weigh',
    'strike',
    'Bell.swing',
    'Bell.#turn',
    'softly',
    'loudly',
  ]);
});

test('walk takes no notice of types, fixtures and local names', () => {
  const source = createSource({
    'operations.ts': "export { get } from './a/get.ts';",
    'a/get.ts': `
      import { list, type Row } from '../b/list.ts';
      import { row } from '../b/row.fixture.ts';
      export const get = (from: typeof list): Row => {
        const list = () => row();
        return list();
      };`,
    'b/list.ts': 'export interface Row {} export const list = () => [];',
    'b/row.fixture.ts': 'export const row = () => ({});',
  });
  expect(read(walk(source, 'get'))).toEqual(['get']);
});

test('walk lists every export with the other files that name it, types included, besides the list of operations', () => {
  const source = createSource({
    'operations.ts': "export { get } from './a/get.ts';",
    'a/get.ts': `
      import type { Row } from '../b/index.ts';
      import { list } from '../b/list.ts';
      export const get = (): Row => list();`,
    'a/get.test.ts': "import { get } from './get.ts'; get();",
    'b/index.ts': "export type { Row } from './list.ts';",
    'b/list.ts':
      'export interface Row {} export const list = () => { own(); return {}; }; export const own = () => {};',
  });
  const shown = exportsOf(source).map(({ name, file, users }) => [`${file} ${name}`, users]);
  expect(Object.fromEntries(shown)).toEqual({
    'a/get.ts get': [],
    'b/list.ts Row': ['a/get.ts', 'b/index.ts'],
    'b/list.ts list': ['a/get.ts'],
    'b/list.ts own': [],
  });
});

test('walk names the operation that the list has no function for', () => {
  const source = createSource({ 'operations.ts': "export { getQueue } from './queues/gone.ts';" });
  expect(() => operationsOf(source)).toThrow('server/src/operations.ts has no function for getQueue.');
});

test('walk is as long for each operation as ARCHITECTURE.md has it', () => {
  const root = path.dirname(import.meta.dirname);
  const page = readFileSync(path.join(root, 'ARCHITECTURE.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `(\w+)` \| \d+ \(\d+\) \|.*$/gm)].map(([row, operation = '']) => {
    return { row, operation };
  });
  expect(rows.length).toBeGreaterThan(5);
  const source = openSource(root);
  const found = rows.map(({ operation }) => {
    const { files, ownFiles, domains, functions, returns } = figuresOf(walk(source, operation));
    return `| \`${operation}\` | ${files} (${ownFiles}) | ${domains} | ${functions} | ${returns} |`;
  });
  expect(rows.map(({ row }) => row)).toEqual(found);
});
