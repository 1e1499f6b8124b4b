import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { operations, type Operation } from '@millrace/api';
import { cruise, type IConfiguration, type ICruiseResult } from 'dependency-cruiser';
import { describe, expect, onTestFinished, test } from 'vitest';

const configuration = new URL('../.dependency-cruiser.mjs', import.meta.url).href;
const { forbidden = [] } = ((await import(configuration)) as { default: IConfiguration }).default;

/** The names of the rules that two files break, one of which imports the other. */
async function broken(from: string, to: string): Promise<string[]> {
  const root = mkdtempSync(path.join(tmpdir(), 'millrace-rooms-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  const write = (file: string, text: string) => {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    writeFileSync(path.join(root, file), text);
  };
  const [importing, imported] = [`server/src/${from}`, `server/src/${to}`];
  write(imported, 'export const name = 1;');
  write(importing, `import { name } from './${path.relative(path.dirname(importing), imported)}';\nname;`);
  const ruleSet = { forbidden };
  const { output } = await cruise(['server'], { ruleSet, validate: true, baseDir: root });
  return (output as ICruiseResult).summary.violations.map(({ rule }) => rule.name);
}

describe('the lint of the rooms', () => {
  test.each([
    ['engine/perform.ts', 'access/auth/tokens.ts', 'engine'],
    ['journal/journal.ts', 'work-items/item/item.ts', 'journal'],
    ['records/record.ts', 'models/models.ts', 'records'],
    ['access/users/users.ts', 'access/auth/tokens.ts', 'users'],
    ['fleet/devices/devices.ts', 'work-items/lease/take-back.ts', 'fleet'],
    ['fleet/pools/pools.ts', 'fleet/automations/automations.ts', 'pools'],
    ['queues/queues.ts', 'models/models.ts', 'queues'],
    ['work-items/item/save.ts', 'work-items/claim/claim.ts', 'item'],
    ['work-items/read/read.ts', 'work-items/lease/heartbeat.ts', 'read'],
    ['models/change.ts', 'events/events.ts', 'models'],
    ['intake/file.ts', 'dispatch/dispatch.ts', 'intake'],
    ['why/why.ts', 'operations.ts', 'why'],
    ['admission.ts', 'server.ts', 'admission'],
  ])('refuses %s importing %s', async (from, to, room) => {
    expect(await broken(from, to)).toEqual([`${room}-imports-only-what-lies-below`]);
  });

  test.each([
    ['work-items/repair/repair.ts', 'work-items/finish/finish.ts'],
    ['dispatch/dispatch.ts', 'work-items/claim/claim.ts'],
    ['queues/archive.ts', 'fleet/pools/pools.ts'],
    ['server.ts', 'admission.ts'],
  ])('lets %s import %s', async (from, to) => {
    expect(await broken(from, to)).toEqual([]);
  });

  test('has a floor for each room of the server', () => {
    const entries = readdirSync(new URL('../server/src', import.meta.url), { withFileTypes: true });
    const rooms = entries
      .filter(({ name }) => name !== 'testing' && !name.includes('.test.'))
      .map((entry) => entry.name + (entry.isDirectory() ? '/' : ''));
    expect(rooms.filter((room) => !hasFloor(`server/src/${room}`))).toEqual([]);
  });

  test.each(['server/src/access', 'server/src/fleet', 'server/src/work-items', 'web/src'])(
    'has a floor for each folder of %s',
    (house) => {
      const entries = readdirSync(new URL(`../${house}`, import.meta.url), { withFileTypes: true });
      const folders = entries.filter((entry) => entry.isDirectory() && entry.name !== 'styles');
      expect(folders.filter(({ name }) => !hasFloor(`${house}/${name}/`))).toEqual([]);
    },
  );

  test('refuses a type that is imported from above as well: a reader follows it like any other name', async () => {
    const rule = forbidden.find(({ name }) => name === 'journal-imports-only-what-lies-below');
    expect(rule?.comment).toContain('Move what both need down');
    expect(JSON.stringify(rule)).not.toContain('type-only');
  });
});

/** Whether a rule says what a room may import. */
function hasFloor(room: string): boolean {
  return forbidden.some(
    ({ name, from }) =>
      name?.endsWith('-imports-only-what-lies-below') &&
      new RegExp(String(from.path)).exec(room)?.[0] === room,
  );
}

/** The rooms of ARCHITECTURE.md, by the beginnings of URLs. */
function roomsByUrl(): [string, string][] {
  const text = readFileSync(new URL('../ARCHITECTURE.md', import.meta.url), 'utf8');
  const [, table = ''] = text.split('| URL begins with | room |');
  const [rows = ''] = table.split('\n\n');
  return rows.split('\n').flatMap((row) => {
    const [, urls = '', room = ''] = row.split('|');
    const [name] = namesIn(room);
    return name === undefined ? [] : namesIn(urls).map((url): [string, string] => [url, name]);
  });
}

function namesIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
}

/** The file behind each operation, by its line in operations.ts. */
function fileByOperation(): Map<string, string> {
  const text = readFileSync(new URL('../server/src/operations.ts', import.meta.url), 'utf8');
  return new Map(
    [...text.matchAll(/^export \{ (\w+) \} from '\.\/(.+)';$/gm)].map(([, name = '', file = '']) => [
      name,
      file,
    ]),
  );
}

describe('ARCHITECTURE.md', () => {
  const [rooms, files] = [roomsByUrl(), fileByOperation()];

  test.each(Object.entries<Operation>(operations))('names the room of %s', (operationId, operation) => {
    const begins = rooms.filter(([url]) => operation.path.startsWith(url));
    const [longest] = begins.toSorted(([one], [other]) => other.length - one.length);
    expect(files.get(operationId)).toMatch(new RegExp(`^${longest?.[1]}/`));
  });

  test('names no room and no URL that is not there', () => {
    const paths = Object.values<Operation>(operations).map((operation) => operation.path);
    const unused = rooms.filter(([url]) => !paths.some((one) => one.startsWith(url)));
    expect(unused).toEqual([]);
  });
});

describe('operations.ts', () => {
  test.each([...fileByOperation()])('has %s with the file that defines it', (operationId, file) => {
    const text = readFileSync(new URL(`../server/src/${file}`, import.meta.url), 'utf8');
    expect(text).toMatch(new RegExp(`^export (const|function|async function) ${operationId}\\b`, 'm'));
  });

  test('has one line for each operation of the contract, and no other', () => {
    expect([...fileByOperation().keys()].toSorted()).toEqual(Object.keys(operations).toSorted());
  });
});
