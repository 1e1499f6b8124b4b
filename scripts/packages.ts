/**
 * Makes the packages for npm: `npm run packages`, in dist/, which is made anew, or in a given empty folder.
 *
 * Each gets a folder with its contents on npm, and a tarball of it: the sources as JavaScript with type declarations, and its package.json,
 * rewritten to name those. In the repository itself everything runs from the sources.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

interface Manifest {
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

const root = path.dirname(import.meta.dirname);
const packages = ['api', 'runner', 'cli', 'web', 'server'];
/** Packages whose code others import, with its types. */
const libraries = ['api', 'runner'];
/** Files that a package carries besides its code, where they exist, and their places in it. */
const carried: Readonly<Record<string, string>> = {
  'README.md': 'README.md',
  'openapi.json': 'openapi.json',
  bin: 'bin',
  migrations: 'migrations',
  reference: 'reference',
  // The built console.
  dist: 'dist',
  'src/styles': 'styles',
};

const [, , given] = process.argv;
pack(given === undefined ? emptied(path.join(root, 'dist')) : empty(path.resolve(given)));

function emptied(folder: string): string {
  rmSync(folder, { recursive: true, force: true });
  return empty(folder);
}

/** @throws Error when something is in the folder: other people's files are not overwritten. */
function empty(folder: string): string {
  mkdirSync(folder, { recursive: true });
  if (readdirSync(folder).length > 0)
    throw new Error(`${folder} is not empty. Give another folder, or none.`);
  return folder;
}

function pack(folder: string): void {
  const compiled = path.join(folder, 'compiled');
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  const project = path.join(root, 'tsconfig.build.json');
  // `npm run types` has checked them, with the code that uses them; another check would take as long as all the rest.
  run(process.execPath, [tsc, '-p', project, '--noCheck', '--outDir', compiled], root);
  run(process.execPath, [path.join(root, 'scripts/ensure-console.mjs')], root);
  for (const name of packages) stage(name, path.join(compiled, name, 'src'), path.join(folder, name));
  rmSync(compiled, { recursive: true });
  run('npm', ['pack', ...packages.map((name) => `./${name}`)], folder);
}

/** Fills the folder of a package with its contents on npm. */
function stage(name: string, code: string, folder: string): void {
  const source = path.join(root, name);
  const manifest = JSON.parse(readFileSync(path.join(source, 'package.json'), 'utf8')) as Manifest;
  const isLibrary = libraries.includes(name);
  const isCode = (file: string) => isLibrary || !file.endsWith('.d.ts');
  mkdirSync(folder, { recursive: true });
  if (existsSync(code)) cpSync(code, path.join(folder, 'dist'), { recursive: true, filter: isCode });
  for (const [file, place] of Object.entries(carried).filter(([one]) => existsSync(path.join(source, one))))
    cpSync(path.join(source, file), path.join(folder, place), { recursive: true, filter: isForUsers });
  cpSync(path.join(root, 'LICENSE'), path.join(folder, 'LICENSE'));
  const text = JSON.stringify(published(manifest, isLibrary), undefined, 2);
  writeFileSync(path.join(folder, 'package.json'), `${text}\n`);
}

/** Leaves out tests and the console's note on its sources. */
function isForUsers(file: string): boolean {
  return !file.endsWith('.test.ts') && path.basename(file) !== '.built';
}

/** The package.json on npm. Compiled, a package needs no reader of TypeScript, and the console contains its dependencies. */
function published(manifest: Manifest, isLibrary: boolean): object {
  const { private: _, exports, dependencies, devDependencies: __, ...rest } = manifest;
  const isBuilt = exports !== undefined && './dist/*' in exports;
  const needed = Object.entries(dependencies ?? {}).filter(([name]) => name !== 'tsx' && !isBuilt);
  const open = Object.entries(exports ?? {}).map(([name, file]) => [name, compiledFrom(file, isLibrary)]);
  return {
    ...rest,
    ...(open.length > 0 && { exports: Object.fromEntries(open) as object }),
    ...(needed.length > 0 && { dependencies: Object.fromEntries(needed) as object }),
  };
}

/** The compiled file for a file of the sources. */
function compiledFrom(file: string, isLibrary: boolean): string | object {
  if (!file.endsWith('.ts')) return file.replace('./src/', './');
  const code = file.replace('./src/', './dist/').replace(/[.]ts$/, '');
  return isLibrary ? { types: `${code}.d.ts`, default: `${code}.js` } : `${code}.js`;
}

function run(command: string, args: readonly string[], folder: string): void {
  // On Windows npm is a script, which only a shell starts.
  execFileSync(command, args, {
    cwd: folder,
    stdio: 'inherit',
    shell: process.platform === 'win32' && command === 'npm',
  });
}
