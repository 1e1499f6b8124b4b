// Loaded into the commands of `npm start` and `npm run demo`: when npm has ended, they stop in good order too.
//
// npm hands a script to a shell. It passes SIGTERM on to that shell, which dies of it and tells nobody; a killed npm passes on
// nothing. So the parent must stay the same, and, while it is that shell, so must the shell's own parent, npm. Nothing above
// npm is watched: a shell that runs `npm start &` or setsid may end. Parents are compared with those at the start, not with 1:
// orphans may go to another process. stdin says nothing of npm, which passes on its own, such as /dev/null.
import { readFileSync } from 'node:fs';
import path from 'node:path';

const watchMs = 500;

const parent = process.ppid;
const npmAboveShell = isShellOfScript(parent) ? parentOf(parent) : undefined;

const watch = setInterval(() => {
  if (!isNpmGone()) return;
  clearInterval(watch);
  process.kill(process.pid, 'SIGTERM');
}, watchMs);
// Watching must not keep a finished command alive.
watch.unref();

function isNpmGone() {
  if (process.ppid !== parent) return true;
  return npmAboveShell !== undefined && ![npmAboveShell, undefined].includes(parentOf(parent));
}

/** The shell has this script on its command line; where the shell made way for the command, npm is the parent, which has not. */
function isShellOfScript(pid) {
  return readProc(pid, 'cmdline')?.includes(path.basename(import.meta.url)) === true;
}

function parentOf(pid) {
  return /^PPid:\s+(\d+)/m.exec(readProc(pid, 'status') ?? '')?.[1];
}

/** Undefined where there is no /proc. The usual shells of those systems make way for the command. */
function readProc(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}
