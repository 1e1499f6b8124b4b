import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { makeMasterKey, masterKeyIn } from './master-key.ts';
import { createDatabase, startApp, type App } from '../testing/app.ts';
import { createCustomers, newMasterKey } from '../testing/secrets.ts';
import { decrypt, encrypt, Vault } from './vault.ts';

const folder = await mkdtemp(path.join(tmpdir(), 'millrace-vault-'));
afterAll(() => rm(folder, { recursive: true }));

const reveal = async (app: App, workItemPath: { id: number; workItemId: number }) => {
  const { body } = await app.admin.revealWorkItem({ path: workItemPath, body: { reason: 'a test' } });
  return body.json?.['customer'];
};

describe('master keys', () => {
  it('createWorkItemModel is refused with a sentence where there is no master key', async () => {
    const app = await startApp();
    const { status, error } = await app.admin.createWorkItemModel({
      body: { name: 'Secret', attributes: [{ name: 'x', sensitivity: 'SECRET' }] },
    });
    expect(status).toBe(409);
    expect(error.message).toContain('Set MILLRACE_MASTER_KEY_FILE');
    await app.stop();
  });

  it('a server does not start with a wrong master key or none, says so, and loses nothing', async () => {
    const database = await createDatabase();
    const masterKey = newMasterKey();
    const app = await startApp({ masterKey }, database);
    const runner = await app.user('runner', ['AAE_Bot Runner']);
    const queue = await createCustomers(app, runner);
    const [item] = await queue.add({ customer: 'Meier' });
    await app.stop();
    await expect(startApp({}, database)).rejects.toThrow('no master key is given');
    const wrong = startApp({ masterKey: newMasterKey() }, database);
    await expect(wrong).rejects.toThrow(
      /encrypted under the master key [0-9a-f]{16}, and the master keys that are given are/,
    );
    const again = await startApp({ masterKey }, database);
    expect(await reveal(again, queue.itemPath(item))).toBe('Meier');
    await again.stop();
  });

  it('createWorkItemModel puts the first keys of a tenant under the master key that the file has by then', async () => {
    const masterKeyFile = path.join(folder, 'changed');
    const [former, next] = [newMasterKey(), newMasterKey()];
    await writeFile(masterKeyFile, former);
    const database = await createDatabase();
    const app = await startApp({ masterKeyFile }, database);
    await writeFile(masterKeyFile, `${next}\n${former}\n`);
    const attributes = [{ name: 'x', sensitivity: 'SECRET' as const }];
    expect((await app.admin.createWorkItemModel({ body: { name: 'Secret', attributes } })).status).toBe(200);
    await app.admin.rotateTenantKey();
    await app.stop();
    // An operator who follows the documentation has removed the former line by now.
    const again = await startApp({ masterKey: next }, database);
    await again.stop();
  });

  it('rewrapTenantKeys puts keys under a new master key, which is read from the file while the server runs', async () => {
    const masterKeyFile = path.join(folder, 'rotated');
    const [former, next] = [newMasterKey(), newMasterKey()];
    await writeFile(masterKeyFile, former);
    const database = await createDatabase();
    const app = await startApp({ masterKeyFile }, database);
    const runner = await app.user('runner', ['AAE_Bot Runner']);
    const queue = await createCustomers(app, runner);
    const [item] = await queue.add({ customer: 'Meier' });
    const name = (await app.admin.rewrapTenantKeys()).body;
    expect(name.rewrapped).toBe(0);
    await writeFile(masterKeyFile, `${next}\n${former}\n`);
    const { body } = await app.admin.rewrapTenantKeys();
    expect(body.rewrapped).toBe(2);
    expect(body.masterKey).not.toBe(name.masterKey);
    expect(await reveal(app, queue.itemPath(item))).toBe('Meier');
    expect((await runner.call.rewrapTenantKeys()).status).toBe(403);
    await app.stop();
    const later = await startApp({ masterKey: next }, database);
    expect(await reveal(later, queue.itemPath(item))).toBe('Meier');
    await later.stop();
  });

  it('are refused with a sentence that shows none of them', async () => {
    const file = path.join(folder, 'short');
    await writeFile(file, 'c2hvcnQ=');
    const of = (masterKeyFile: string) => () => new Vault({ masterKey: undefined, masterKeyFile });
    expect(of(file)).toThrow(/MILLRACE_MASTER_KEY_FILE must hold keys of 32 bytes in base64(?!.*c2hvcnQ)/);
    expect(of(path.join(folder, 'missing'))).toThrow('cannot be read (ENOENT)');
    await writeFile(file, '\n');
    expect(of(file)).toThrow('holds no key');
  });

  it('are made once, in a file that nobody else reads', async () => {
    const file = masterKeyIn(folder);
    expect(await makeMasterKey(file)).toBe(true);
    const made = await readFile(file, 'utf8');
    expect(await makeMasterKey(file)).toBe(false);
    expect(await readFile(file, 'utf8')).toBe(made);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(new Vault({ masterKey: undefined, masterKeyFile: file }).isReady).toBe(true);
  });
});

describe('encrypted bytes', () => {
  const key = Buffer.alloc(32, 7);
  const bytes = encrypt(key, 'here', Buffer.from('a value'));

  it('open with their key at their place', () => {
    expect(decrypt(key, 'here', bytes).toString()).toBe('a value');
    expect(encrypt(key, 'here', Buffer.from('a value'))).not.toEqual(bytes);
  });

  it.each([
    ['with another key', Buffer.alloc(32, 8), 'here', bytes],
    ['at another place', key, 'there', bytes],
    [
      'when a bit was changed',
      key,
      'here',
      Buffer.from(bytes.map((byte, index) => (index === 14 ? byte ^ 1 : byte))),
    ],
    ['when they were cut', key, 'here', bytes.subarray(0, -1)],
  ])('do not open %s', (_, own, place, changed) => {
    expect(() => decrypt(own, place, changed)).toThrow(/authenticate/);
  });
});
