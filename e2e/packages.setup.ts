import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';

const root = fileURLToPath(new URL('../', import.meta.url));

/**
 * Makes the packages for npm once for all tests, in a place where they find one another and their dependencies. Tests start commands from
 * these: reading TypeScript takes a second of processor time more for each command.
 */
export default function setup(project: TestProject): () => void {
  const cache = path.join(root, 'node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(path.join(cache, 'millrace-packages-'));
  const packages = path.join(folder, 'node_modules/@millrace');
  const make = ['--import', 'tsx', 'scripts/packages.ts', packages];
  execFileSync(process.execPath, make, { cwd: root, stdio: 'pipe' });
  project.provide('packages', packages);
  return () => rmSync(folder, { recursive: true, force: true });
}

declare module 'vitest' {
  export interface ProvidedContext {
    /** The folder with the packages, and their tarballs. */
    packages: string;
  }
}
