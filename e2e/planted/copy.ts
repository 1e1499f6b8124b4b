import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const root = path.join(import.meta.dirname, '../..');

/** A temporary folder for a copy of the repository, and for the leftovers of tests that run there. */
export interface Place {
  readonly folder: string;
  readonly copy: string;
  readonly temporary: string;
}

/** Makes the folder, without anything in it. */
export function openPlace(): Place {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'millrace-planted-')));
  const place = { folder, copy: path.join(folder, 'copy'), temporary: path.join(folder, 'tmp') };
  mkdirSync(place.copy);
  mkdirSync(place.temporary);
  return place;
}

export function closePlace({ folder }: Place): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 20 });
}

/** Copies the repository as it is, with uncommitted changes; installed packages are linked instead of copied. */
export function copyRepository({ copy }: Place): void {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const listed = execFileSync('git', list, { cwd: root, encoding: 'utf8', maxBuffer: 2 ** 26 });
  // Deleted files are listed until that is committed.
  const files = listed.split('\0').filter((file) => file !== '' && existsSync(path.join(root, file)));
  for (const file of files) {
    const target = path.join(copy, file);
    mkdirSync(path.dirname(target), { recursive: true });
    copyFileSync(path.join(root, file), target);
  }
  linkPackages(copy);
}

/** Workspaces must link to the copy: with the links of the repository, its own code would be tested instead. */
function linkPackages(copy: string): void {
  const [from, to] = [path.join(root, 'node_modules'), path.join(copy, 'node_modules')];
  for (const workspace of manifestIn(copy).workspaces ?? []) {
    const { name } = manifestIn(path.join(copy, workspace));
    link(path.join(copy, workspace), path.join(to, name));
  }
  // Names that begin with a dot are caches, which belong to the repository.
  const others = readdirSync(from).filter(
    (name) => !name.startsWith('.') && !existsSync(path.join(to, name)),
  );
  for (const name of others) link(path.join(from, name), path.join(to, name));
}

function manifestIn(folder: string) {
  const text = readFileSync(path.join(folder, 'package.json'), 'utf8');
  return JSON.parse(text) as { readonly name: string; readonly workspaces?: readonly string[] };
}

function link(target: string, name: string): void {
  mkdirSync(path.dirname(name), { recursive: true });
  // On Windows a junction needs no rights of an administrator.
  symlinkSync(target, name, 'junction');
}

/** Whether the repository is as the patch expects it. @throws Error that says where it differs */
export function checkPatch(patch: string): void {
  apply(root, [patch, '--check']);
}

/** Plants the bug, does the work, and takes the bug out again. */
export async function withBug<T>({ copy }: Place, patch: string, work: () => Promise<T>): Promise<T> {
  apply(copy, [patch]);
  try {
    return await work();
  } finally {
    apply(copy, [patch, '--reverse']);
  }
}

function apply(folder: string, args: readonly string[]): void {
  // Inside somebody else's repository, such as a home folder, it would silently leave the files of the copy alone.
  const env = { ...process.env, GIT_CEILING_DIRECTORIES: path.dirname(folder) };
  execFileSync('git', ['apply', ...args], { cwd: folder, env, encoding: 'utf8', stdio: 'pipe' });
}
