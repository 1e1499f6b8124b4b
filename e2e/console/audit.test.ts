import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { seal } from '../../server/src/testing/audit.ts';
import { tokenOfAdmin } from './frame.ts';
import { browserFile, expectAccessible, setStage } from './stage.ts';

const file = path.join(mkdtempSync(path.join(tmpdir(), 'millrace-seal-')), 'key.pem');

describe.skipIf(browserFile === undefined)('In a browser,', () => {
  const stage = setStage(() => ({ sealingKeyFile: file }));
  let token: string;
  beforeAll(async () => {
    token = await tokenOfAdmin(stage);
  });

  test('the audit trail is verified, with a seal that was noted, and what was touched is told', async () => {
    const page = await stage.open('/console/audit', { token });
    await page.getByText('Nothing is sealed yet.').waitFor();
    await stage.app.admin.createUser({ body: { username: 'mara' } });
    await seal(stage.app, file);
    await page.reload();
    await page.getByRole('button', { name: 'Copy Newest seal, with its hash' }).click();
    const head = await page.evaluate<string>('navigator.clipboard.readText()');
    const noted = page.getByLabel('A seal that was noted');
    await noted.fill('no seal');
    await page.getByText('That is no seal').waitFor();
    expect(await page.getByRole('button', { name: 'Verify' }).isDisabled()).toBe(true);
    await noted.fill(head);
    await page.getByRole('button', { name: 'Verify' }).click();
    await page.getByText(/^Everything is as it was sealed: \d+ events? in \d+ seals/).waitFor();
    await page.getByText('As command, as curl').click();
    await page.getByText(`millrace audit verify --head ${head}`, { exact: true }).waitFor();
    await expectAccessible(page);
    await stage.app.sql(`update events set reason = 'It was not me' where operation = 'createUser'`);
    await page.getByRole('button', { name: 'Verify' }).click();
    await page.getByText('Not as it was sealed: 1 problem.').waitFor();
    await page.getByRole('listitem').filter({ hasText: 'ALTERED' }).waitFor();
    await expectAccessible(page);
  });

  test('an auditor looks at it on a phone, and who may not is told so', async () => {
    const { token: auditor } = await stage.app.user('olaf', ['AAE_Auditor']);
    const page = await stage.open('/console/audit', {
      token: auditor,
      viewport: { width: 390, height: 844 },
    });
    await page.getByText('Keys that sign').waitFor();
    expect(await page.getByRole('button', { name: 'Seal with new keys' }).count()).toBe(0);
    const [wide, shown] = await page.evaluate<[number, number]>(
      '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
    );
    expect(wide).toBe(shown);
    await expectAccessible(page);
    const { token: basic } = await stage.app.user('pia');
    const other = await stage.open('/console/audit', { token: basic, expected: /status of 403/ });
    await other.getByRole('heading', { name: 'You may not see this.' }).waitFor();
  });
});
