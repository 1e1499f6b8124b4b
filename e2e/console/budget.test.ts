import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, expect, test } from 'vitest';

const root = path.join(import.meta.dirname, '../..');

interface Chunk {
  readonly file: string;
  readonly isEntry?: boolean;
  readonly isDynamicEntry?: boolean;
  readonly css?: readonly string[];
  readonly imports?: readonly string[];
}

let chunks: Record<string, Chunk>;

beforeAll(() => {
  execFileSync(process.execPath, ['scripts/ensure-console.mjs'], { cwd: root, stdio: 'pipe' });
  chunks = JSON.parse(readFileSync(path.join(root, 'web/dist/manifest.json'), 'utf8')) as typeof chunks;
});

/** The scripts that a browser loads with a script, by name. */
function loadedWith(name: string): string[] {
  return [name, ...(chunks[name]?.imports ?? []).flatMap(loadedWith)];
}

/** The scripts that a browser loads before it shows any page: the start, and the frame around the pages. */
function loadedFirst(): ReadonlySet<string> {
  return new Set(['index.html', 'src/shell/frame.tsx'].flatMap(loadedWith));
}

function kilobytes(files: Iterable<string>): number {
  const sizes = [...new Set(files)].map(
    (file) => gzipSync(readFileSync(path.join(root, 'web/dist', file)), { level: 9 }).length,
  );
  return sizes.reduce((sum, size) => sum + size, 0) / 1000;
}

function scriptOf(names: Iterable<string>): number {
  return kilobytes([...names].map((name) => chunks[name]?.file ?? ''));
}

test('The console loads less than 200 kB of script before it shows a page', () => {
  expect(scriptOf(loadedFirst())).toBeLessThan(200);
});

test('Each page of the console loads less than 60 kB of script more', () => {
  const first = loadedFirst();
  const pages = Object.keys(chunks).filter((name) => chunks[name]?.isDynamicEntry);
  const sizes = pages.map((name) => [name, scriptOf(loadedWith(name).filter((one) => !first.has(one)))]);
  expect(sizes.length).toBeGreaterThan(4);
  expect(sizes.filter(([, size]) => Number(size) >= 60)).toEqual([]);
});

test('All styles of the console are less than 20 kB', () => {
  const files = Object.values(chunks).flatMap(({ file, css = [] }) => [file, ...css]);
  const styles = files.filter((file) => file.endsWith('.css'));
  expect(styles).not.toEqual([]);
  expect(kilobytes(styles)).toBeLessThan(20);
});
