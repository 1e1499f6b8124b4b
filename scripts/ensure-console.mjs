// Builds the console when its build is older than the sources, so that `npm start` on a fresh or updated checkout serves the present
// console. A failing build does not keep the server from starting: it reports its error and exits with success.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const built = path.join(root, 'web/dist/.built');
/** Everything that can change the build, as paths from the root. */
const sources = ['web', 'api/src', 'package-lock.json'];
const aside = new Set(['node_modules', 'dist']);

const digest = digestOfSources();
if (!isBuilt()) build();

function isBuilt() {
  return existsSync(built) && readFileSync(built, 'utf8') === digest;
}

function digestOfSources() {
  const hash = createHash('sha256');
  for (const file of sources.flatMap(filesIn)) {
    hash
      .update(`${file}\0`)
      .update(readFileSync(path.join(root, file)))
      .update('\0');
  }
  return hash.digest('hex');
}

/** The files of a folder, in the same order everywhere. Tests are no part of the build. */
function filesIn(place) {
  const entries = existsSync(path.join(root, place)) ? entriesOf(place) : [];
  return entries
    .filter(({ name }) => !aside.has(name) && !name.endsWith('.test.ts'))
    .flatMap(({ name, isFolder }) => {
      const file = name === '' ? place : path.posix.join(place, name);
      return isFolder ? filesIn(file) : [file];
    });
}

function entriesOf(place) {
  try {
    const entries = readdirSync(path.join(root, place), { withFileTypes: true });
    return entries
      .map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }))
      .toSorted((one, other) => (one.name < other.name ? -1 : 1));
  } catch {
    // A file itself.
    return [{ name: '', isFolder: false }];
  }
}

function build() {
  console.error('Building the console (takes some seconds) ...');
  const vite = path.join(root, 'node_modules/vite/bin/vite.js');
  const { status, stderr } = spawnSync(process.execPath, [vite, 'build', '--config', 'web/vite.config.ts'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
    env: { ...process.env, NODE_ENV: 'production' },
  });
  if (status === 0) writeFileSync(built, digest);
  else console.error(`${stderr}\nThe console could not be built; the server works without it.`);
}
