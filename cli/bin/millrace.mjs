#!/usr/bin/env node
// The command as people start it, from any folder. In a clone it reads TypeScript as it is; npm carries it compiled.
import { existsSync } from 'node:fs';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  process.stderr.write(
    `millrace needs Node 20.19 or newer; this is ${process.version}. Install a newer Node.\n`,
  );
  process.exit(1);
}

const source = new URL('../src/main.ts', import.meta.url);
const isClone = existsSync(source);
if (isClone) {
  const { register } = await import('tsx/esm/api').catch(() => {
    process.stderr.write(
      'millrace is not installed completely. Run `npm ci` in the folder it was cloned to.\n',
    );
    process.exit(1);
  });
  register();
}
const { main } = await import(isClone ? source.href : '../dist/main.js');
await main(process.argv.slice(2));
