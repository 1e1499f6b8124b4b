import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { mergedBody, readJsonOption } from './body.ts';
import { newItems } from './commands/item-create.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'millrace-body-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('JSON is read from the option or from the file it names, with all digits', async () => {
  expect(await readJsonOption('--body', '{"id":9223372036854775807}')).toEqual({ id: 9223372036854775807n });
  writeFileSync(path.join(folder, 'a.json'), '[1,2]');
  expect(await readJsonOption('--body', `@${folder}/a.json`)).toEqual([1, 2]);
});

test('what is no JSON is refused by the name of the option or the file', async () => {
  await expect(readJsonOption('--filter', 'x=1')).rejects.toThrow(
    '--filter is no JSON: it has "x=1" where a value should be.',
  );
  writeFileSync(path.join(folder, 'b.json'), '{');
  await expect(readJsonOption('--body', `@${folder}/b.json`)).rejects.toThrow(`${folder}/b.json is no JSON`);
  await expect(readJsonOption('--body', '@nowhere.json')).rejects.toThrow(
    '--body names nowhere.json, which cannot be read: there is no such file.',
  );
});

test('a member that is given twice is refused by its place, as the server would', async () => {
  const text = '[{"json":{"a":1}},{"json":{"a":1,"b":"\\"a\\":","\\u0061":2}}]';
  await expect(readJsonOption('--body', text)).rejects.toThrow('--body has 1.json.a twice. Leave out one');
  const once = '{"a":{"a":["a","a",{"a":1},{"a":1}]}}';
  expect(await readJsonOption('--body', once)).toEqual(JSON.parse(once));
});

test('a file of another encoding is refused, and a mark of UTF-8 at its beginning is not data', async () => {
  writeFileSync(path.join(folder, 'c.json'), Buffer.from('{"name":"Müller"}', 'latin1'));
  await expect(readJsonOption('--data', `@${folder}/c.json`)).rejects.toThrow(
    `${folder}/c.json is not in UTF-8`,
  );
  writeFileSync(path.join(folder, 'd.json'), '\ufeff{"name":"Müller"}');
  expect(await readJsonOption('--data', `@${folder}/d.json`)).toEqual({ name: 'Müller' });
});

test('flags are put into the body and win over it', () => {
  expect(mergedBody({ a: 1, b: 2 }, { b: 3, c: undefined })).toEqual({ a: 1, b: 3 });
  expect(mergedBody(undefined, { b: 3 })).toEqual({ b: 3 });
  expect(mergedBody([1], {})).toEqual([1]);
  expect(mergedBody(undefined, {})).toBeUndefined();
  expect(() => mergedBody([1], { b: 3 })).toThrow('--body is no JSON object');
});

test('a body of items may be the whole request, a list or one item', () => {
  const item = { json: { a: 1 } };
  expect(newItems({ workItems: [item] })).toEqual({ workItems: [item] });
  expect(newItems([item, item])).toEqual({ workItems: [item, item] });
  expect(newItems(item)).toEqual({ workItems: [item] });
});
