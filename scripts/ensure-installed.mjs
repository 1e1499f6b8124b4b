// Installs the locked dependencies when a fresh or updated checkout lacks them, so that `npm start`,
// `npm test` and `npm run demo` work on their own. Only Node's built-ins: nothing else is there yet.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import path from 'node:path';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const stamp = path.join(root, 'node_modules', '.millrace-lock');
const locked = createHash('sha256')
  .update(readFileSync(path.join(root, 'package-lock.json')))
  .digest('hex');

refuseOldNode();
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== locked) install();

function refuseOldNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  console.error(`Millrace needs Node 20.19 or newer; this is ${process.version}. Install a newer Node and try again.`);
  process.exit(1);
}

function install() {
  console.error('Installing dependencies (once, takes about a minute) ...');
  // npm hands its own path to the scripts it runs; on Windows the plain name would need a shell.
  const npm = process.env.npm_execpath;
  const command = npm ? [process.execPath, npm] : ['npm'];
  const args = [...command.slice(1), 'ci', '--no-audit', '--no-fund', '--ignore-scripts'];
  const { status } = spawnSync(command[0], args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) {
    console.error('npm ci failed; its own message is above. Check the network and run the same command again.');
    process.exit(status ?? 1);
  }
  writeFileSync(stamp, locked);
}
