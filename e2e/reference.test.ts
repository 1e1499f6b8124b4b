import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { startApp } from '../server/src/testing/app.ts';

interface Values {
  readonly parameters: Record<string, string>;
  readonly body?: string;
}
interface Operation {
  readonly operationId: string;
}
interface Reference {
  readonly sections: (contract: unknown) => { operations: Operation[] }[];
  readonly callOf: (contract: unknown, operation: Operation, values: Values) => unknown;
  readonly codeOf: (language: { id: string }, call: unknown, server: string) => { part: string }[];
  readonly languages: { id: string }[];
}

const reference = new URL('../web/reference/', import.meta.url);
// Modules for the browser: their types are those of the browser, which the tests do not have.
const { sections } = (await import(new URL('contract.js', reference).href)) as Reference;
const { callOf, codeOf, languages } = (await import(new URL('code.js', reference).href)) as Reference;

const contract: unknown = JSON.parse(readFileSync(new URL('../api/openapi.json', import.meta.url), 'utf8'));

const folder = mkdtempSync(join(tmpdir(), 'millrace-reference-'));
afterAll(() => rmSync(folder, { recursive: true }));

const password = 'correct horse battery';

/** The commands that the reference page shows before its first operation. */
async function introduction(url: string): Promise<string> {
  const html = await (await fetch(`${url}/docs`)).text();
  const blocks = [...html.matchAll(/<pre><code>(.*?)<\/code><\/pre>/gs)].map(([, block = '']) => block);
  return blocks
    .join('\n')
    .replaceAll('&amp;', '&')
    .replaceAll('http://127.0.0.1:8080', url)
    .replaceAll('the password of admin', password);
}

test('the commands in the introduction of the API reference work as printed', async () => {
  const app = await startApp();
  const commands = await introduction(app.url);
  const { stdout } = await promisify(execFile)('sh', [
    '-ec',
    commands.replaceAll('curl ', 'curl --silent --fail '),
  ]);
  expect(stdout).toContain('"status":"IN_PROGRESS"');
  const path = { id: 1, workItemId: 1 };
  const { body } = await app.admin.getWorkItem({ path });
  expect(body).toMatchObject({ status: 'COMPLETE', json: { invoiceNumber: 'R-1001', amount: 1250 } });
});

/** The code that the page shows for a request. */
function codeFor(id: string, operationId: string, values: Values, server: string): string {
  const operation = sections(contract)
    .flatMap(({ operations }) => operations)
    .find((one) => one.operationId === operationId);
  const language = languages.find((one) => one.id === id);
  if (!operation || !language) throw new Error(`There is no ${operationId} in ${id}`);
  const code = codeOf(language, callOf(contract, operation, values), server);
  return code.map(({ part }) => part).join('');
}

const runners = {
  curl: (code: string) => ['sh', '-ec', code.replace('curl ', 'curl --silent --fail ')],
  javascript: (code: string) => [process.execPath, '--input-type=module', '--eval', code],
} as const;

const queue = { id: '1' };
const requests: [operationId: string, values: Values][] = [
  [
    'createWorkItemModel',
    { parameters: {}, body: '{ "name": "Anna\'s", "attributes": [{ "name": "nr", "type": "NUMBER" }] }' },
  ],
  ['createQueue', { parameters: {}, body: '{ "name": "Q", "workItemModelId": 1 }' }],
  [
    'createWorkItems',
    { parameters: queue, body: '{ "workItems": [{ "json": { "nr": 9007199254740993 } }] }' },
  ],
  ['createWorkItemsFromFile', { parameters: queue }],
  ['deleteWorkItem', { parameters: { ...queue, workItemId: '2' } }],
  ['listEvents', { parameters: { operation: 'createWorkItems', limit: '5' } }],
];

test.each(['curl', 'javascript'] as const)(
  'the code of the API reference works as printed, in %s',
  async (language) => {
    const app = await startApp();
    const { body: session } = await app.admin.logIn({ body: { username: 'admin', password } });
    writeFileSync(join(folder, 'items.csv'), 'nr\n2\n3\n');
    const env = { ...process.env, URL: app.url, TOKEN: session.token };
    for (const [operationId, values] of requests) {
      const [program = '', ...given] = runners[language](codeFor(language, operationId, values, app.url));
      await promisify(execFile)(program, given, { cwd: folder, env });
    }
    const { body: model } = await app.admin.getWorkItemModel({ path: { id: 1 } });
    expect(model.name).toBe("Anna's");
    const { body: items } = await app.admin.listWorkItems({ path: { id: 1 }, body: {} });
    expect(items.list.map(({ id }) => id)).toEqual([1, 3]);
    const { col1 } = items.list[0] ?? {};
    expect(col1, 'which is the number, digit by digit').toBe('9007199254740993');
  },
);
