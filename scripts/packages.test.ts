import { readFileSync } from 'node:fs';
import path from 'node:path';
import { minVersion, satisfies } from 'semver';
import { expect, test } from 'vitest';

interface Package {
  readonly version?: string;
  readonly engines?: { readonly node?: string };
  readonly hasInstallScript?: true;
}

interface Manifest {
  readonly engines: { readonly node: string };
  readonly allowScripts: Readonly<Record<string, boolean>>;
}

const root = path.dirname(import.meta.dirname);
const textOf = (file: string) => readFileSync(path.join(root, file), 'utf8');
const manifestOf = (folder: string) => JSON.parse(textOf(path.join(folder, 'package.json'))) as Manifest;

const { engines, allowScripts } = manifestOf('.');
const lowestNode = minVersion(engines.node)?.version ?? '';
const locked = Object.entries(
  (JSON.parse(textOf('package-lock.json')) as { packages: Record<string, Package> }).packages,
);
const rooms = locked.map(([place]) => place).filter((place) => !place.includes('node_modules'));

test('Every locked package runs on the oldest Node that is promised', () => {
  const tooNew = locked.filter(([, { engines: its }]) => !satisfies(lowestNode, its?.node ?? '*'));
  expect(tooNew.map(([place, { version, engines: its }]) => [place, version, its?.node])).toEqual([]);
});

test('Every locked package with an install script is decided on, so that npm does not warn, and none is run', () => {
  const scripted = locked.filter(([, { hasInstallScript }]) => hasInstallScript);
  const names = scripted.map(([place]) => place.replace(/^.*node_modules\//, ''));
  expect(allowScripts).toEqual(Object.fromEntries(names.map((name) => [name, false])));
});

test('Manifests, programs and documents state the same oldest Node, and .nvmrc a newer one', () => {
  const short = lowestNode.replace(/\.0$/, '');
  expect(rooms.map((room) => manifestOf(room).engines.node)).toEqual(rooms.map(() => `>=${short}`));
  for (const file of ['README.md', 'CONTRIBUTING.md', 'cli/bin/millrace.mjs', 'scripts/ensure-installed.mjs'])
    expect(textOf(file), file).toMatch(new RegExp(`Node(\\.js)?(\\]\\(\\S+\\))? ${short} or newer`));
  expect(satisfies(`${textOf('.nvmrc').trim()}.999.0`, engines.node)).toBe(true);
});
