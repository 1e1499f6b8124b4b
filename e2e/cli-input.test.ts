import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { answerOf, expectEnd, startAsAdmin } from './as-admin.ts';
import { millrace } from './millrace.ts';

const { home, app, env, asAdmin, createQueue } = await startAsAdmin();

test('item restart, release, update and queue update take the current version when none is given', async () => {
  const { id } = await createQueue('Versions');
  answerOf(await asAdmin('item', 'create', 'Versions', '--data', '{"customer":"A"}', '--json'));
  const { list } = (await app.admin.listWorkItems({ path: { id } })).body;
  const item = String(list[0]?.id);
  const then = async (...args: string[]) => answerOf(await asAdmin('item', ...args, '--json'));
  await then('update', 'Versions', item, '--status', 'DEFERRED', '--deferred-until', '2h');
  expect(await then('release', 'Versions', item)).toMatchObject({ status: 'NEW' });
  await then('update', 'Versions', item, '--status', 'FAILED', '--error', 'no such customer');
  const late = await asAdmin('item', 'restart', 'Versions', item, '--version', '0');
  expect(expectEnd(late, 1).stderr).toContain('VERSION_CONFLICT');
  expect(await then('restart', 'Versions', item)).toMatchObject({ status: 'NEW' });
  const update = ['queue', 'update', 'Versions', '--description', 'Credit checks', '--json'];
  expect(answerOf(await asAdmin(...update))).toMatchObject({ version: 1, description: 'Credit checks' });
  expect(expectEnd(await asAdmin('queue', 'update', 'Versions'), 2).stderr).toContain('nothing to send');
});

test('item update of an item in progress wants the version of its claim, by which its holder is known', async () => {
  const { id } = await createQueue('Held items');
  const role = (await app.admin.listRoles()).body.list.find(({ name }) => name === 'AAE_Admin');
  await app.admin.addQueueConsumer({ path: { id }, body: { roleId: Number(role?.id) } });
  await asAdmin('item', 'create', 'Held items', '--data', '{"customer":"A"}');
  // Long enough for the following commands, each of which takes long to start on a busy machine.
  const claim = ['item', 'claim', 'Held items', '--lease-seconds', '3600', '--json'];
  const { list } = answerOf(await asAdmin(...claim)) as {
    list: { id: number; version: number }[];
  };
  const complete = ['item', 'update', 'Held items', String(list[0]?.id), '--status', 'COMPLETE'];
  expect(expectEnd(await asAdmin(...complete), 2).stderr).toContain('--version as the claim answered it');
  const reported = await asAdmin(...complete, '--version', String(list[0]?.version), '--json');
  expect(answerOf(reported)).toMatchObject({ status: 'COMPLETE' });
});

test('times are given as people say them, and one that cannot be read is answered with examples', async () => {
  await createQueue('Times');
  const pause = (until: string) => {
    const args = ['queue', 'pause', 'Times', '--reason', 'closing', '--until', until, '--json'];
    return millrace(home, args, { env: { ...env, TZ: 'Asia/Tokyo' } });
  };
  const { pause: paused } = answerOf(await pause('tomorrow 08:00')) as { pause: { until: string } };
  expect(paused.until).toMatch(/T23:00:00.000Z$/);
  expect(expectEnd(await pause('soon'), 2).stderr).toContain('cannot be read as a time. Give one such as 2h');
  await asAdmin('item', 'create', 'Times', '--data', '{"customer":"A"}');
  const since = (time: string) => asAdmin('item', 'list', 'Times', '--where', `createdOn>=${time}`, '--json');
  expect(answerOf(await since('1h ago'))).toMatchObject({ page: { totalFilter: 1 } });
  expect(answerOf(await since('1h'))).toMatchObject({ page: { totalFilter: 0 } });
});

test('item bulk defers in a script only with a time or --for-ever', async () => {
  await createQueue('Asides');
  await asAdmin('item', 'create', 'Asides', '--data', '{"customer":"A"}');
  const defer = ['item', 'bulk', 'Asides', '--action', 'DEFER', '--where', 'id>0'];
  expect(expectEnd(await asAdmin(...defer), 2).stderr).toMatch(/--deferred-until.*--for-ever/);
  expectEnd(await asAdmin(...defer, '--deferred-until', '3d'), 0);
  expectEnd(await asAdmin(...defer, '--for-ever'), 0);
  const { list } = answerOf(await asAdmin('item', 'list', 'Asides', '--json')) as { list: object[] };
  expect(list[0]).toMatchObject({ status: 'DEFERRED' });
  expect(list[0]).not.toHaveProperty('deferredUntil');
});

test('upload of an old spreadsheet or a PDF says what is accepted, and how to make it', async () => {
  await createQueue('Sheets');
  const files = {
    'a.ods': 'PK\u0003\u0004',
    'b.xls': '\u00d0\u00cf\u0011\u00e0',
    'c.XLSB': '',
    'renamed.csv': '%PDF-1.7',
  };
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(path.join(home, name), content, 'latin1');
    const { stderr } = expectEnd(await asAdmin('upload', 'Sheets', name), 2);
    expect(stderr).toMatch(
      new RegExp(
        `^error: ${name} is an? (.*spreadsheet|.*workbook.*|PDF)[.] Upload takes CSV.*(Save As|as CSV)`,
      ),
    );
  }
});

test('user create with a password that is too short says the rule, and sends nothing', async () => {
  const create = ['user', 'create', '--username', 'eva', '--password-stdin'];
  const { stderr } = expectEnd(await millrace(home, create, { env, stdin: 'short\n' }), 2);
  expect(stderr).toBe('error: A password has at least 8 characters; this one is shorter.\n');
});

test('queue why says its sentence once', async () => {
  await createQueue('Why');
  await asAdmin('item', 'create', 'Why', '--data', '{"customer":"A"}');
  const { stdout } = expectEnd(await asAdmin('queue', 'why', 'Why'), 0);
  expect(stdout.split('No automation sends')).toHaveLength(2);
  expect(stdout).toMatch(/^code +NO_AUTOMATION$/m);
});
