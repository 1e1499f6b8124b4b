import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { atEnd } from './endings.ts';

/** A file for a sealing key, in a folder that is removed after the test file. */
export function keyFile(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'millrace-test-key-'));
  atEnd(() => rm(folder, { recursive: true, force: true }));
  return path.join(folder, 'sealing-key.pem');
}
