import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readOperations } from './events.ts';

const server = fileURLToPath(new URL('../../../server/src/', import.meta.url));

test('an operation under which nothing is on record is refused with what may be meant', () => {
  expect(() => readOperations('claimWorkItems,updateWorkItemModell')).toThrow(
    'Nothing is on record as "updateWorkItemModell". Did you mean updateWorkItemModel',
  );
  expect(() => readOperations('zebra')).toThrow('such as finishWorkItems');
});

test('each name that the server records is known', () => {
  const files = readdirSync(server, { recursive: true, encoding: 'utf8' });
  const sources = files.filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
  const names = sources.flatMap((file) =>
    [...readFileSync(server + file, 'utf8').matchAll(/operation: '(\w+)'/g)].map(([, name = '']) => name),
  );
  expect(names.length).toBeGreaterThan(20);
  for (const name of names) expect(readOperations(name)).toBe(name);
});
