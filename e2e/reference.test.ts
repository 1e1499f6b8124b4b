import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { startApp } from '../server/src/testing/app.ts';

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
