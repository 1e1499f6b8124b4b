// Installs the locked dependencies when a fresh or updated checkout lacks them, so that `npm start`,
// `npm test` and `npm run demo` work on their own. Only Node's built-ins: nothing else is there yet.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

refuseOldNode();
if (!isInstalled()) install();

function refuseOldNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  fail(
    `Millrace needs Node 20.19 or newer; this is ${process.versions.node}. Install a newer Node and try again.`,
  );
}

/** Whether npm's own record of node_modules, which it writes last, agrees with the lockfile. */
function isInstalled() {
  const present = recordedPackages();
  const wanted = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')).packages;
  return Object.entries(wanted)
    .filter(([place]) => place.includes('node_modules/'))
    .every(([place, entry]) =>
      present[place] ? present[place].version === entry.version : isLeftOut(entry),
    );
}

function recordedPackages() {
  try {
    return JSON.parse(readFileSync(path.join(root, 'node_modules/.package-lock.json'), 'utf8')).packages;
  } catch {
    // Never installed, or cut off in the middle.
    return {};
  }
}

/** npm leaves out optional packages for other machines, and packages that only those need. */
function isLeftOut({ optional, os, cpu, libc }) {
  const isForThisMachine = !libc && os?.includes(process.platform) && cpu?.includes(process.arch);
  return optional && !isForThisMachine;
}

function install() {
  console.error('Installing dependencies (takes about a minute) ...');
  // npm hands its own path to the scripts it runs; on Windows the plain name would need a shell.
  const npm = process.env.npm_execpath ?? '';
  const command = path.basename(npm) === 'npm-cli.js' ? [process.execPath, npm] : ['npm'];
  // npm hands its log level on, as from `npm test --silent`: a failure here must be shown all the same.
  const args = [
    ...command.slice(1),
    'ci',
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    '--loglevel=notice',
  ];
  const { error, status } = spawnSync(command[0], args, {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (error)
    fail(`npm could not be started (${error.message}). Install npm, which comes with Node, and try again.`);
  if (status !== 0) {
    fail('npm ci failed; its own message is above. Check the network and run the same command again.');
  }
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
