import { hostname } from 'node:os';
import path from 'node:path';
import { isMap, LineCounter, parseDocument, visit, type Alias, type Document } from 'yaml';
import type { BotSettings } from '../bots/bot.ts';
import { problemsOf, type Problem } from '../schema.ts';
import { configSchema } from './schema.ts';

/** The configuration of an agent: its device and its bots. */
export interface AgentConfig {
  /** The address of the server, unless it is given elsewhere. */
  readonly url?: string;
  readonly device: {
    readonly hostName: string;
    readonly nickname?: string;
    readonly labels?: readonly string[];
    /** Items at a time, whatever their bots. */
    readonly slots: number;
  };
  readonly leaseSeconds?: number;
  readonly drainSeconds?: number;
  readonly maxOutputBytes?: number;
  /** By the names under which the server knows them. */
  readonly bots: Readonly<Record<string, BotSettings>>;
}

/** The configuration cannot be used; the message has a line for each problem, with its place. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** The configuration as written; all but the bots may be left out. */
type Written = Omit<AgentConfig, 'device'> & { readonly device?: Partial<AgentConfig['device']> };

const problemsIn = problemsOf(configSchema);
const credentials = ['username', 'password', 'apiKey', 'token'];

/**
 * Reads the configuration of an agent, in YAML or JSON.
 * @param file its path: for messages, and because folders of bots are relative to its folder
 * @throws ConfigError
 */
export function readAgentConfig(text: string, file: string): AgentConfig {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const wrong = document.errors.map(({ message }) => `${file}: ${message.split('\n')[0] ?? ''}`);
  if (wrong.length > 0) throw new ConfigError(wrong.join('\n'));
  const value = valueOf(document, file, lines);
  const problems = problemsIn(value).map((problem) => describe(problem, document, lines));
  if (problems.length > 0) throw new ConfigError(problems.map((problem) => `${file}:${problem}`).join('\n'));
  const written = value as Written;
  const folder = path.dirname(path.resolve(file));
  const bots = Object.entries(written.bots).map(([name, bot]) => [name, inFolder(bot, folder)]);
  const device = { slots: 1, hostName: hostname(), ...written.device };
  return { ...written, device, bots: Object.fromEntries(bots) as AgentConfig['bots'] };
}

/** The value of a document with its aliases resolved. An alias without an anchor, or one that grows too large, is refused. */
function valueOf(document: Document, file: string, lines: LineCounter): unknown {
  try {
    return document.toJS() as unknown;
  } catch (error) {
    const aliases = aliasesOf(document);
    const wrong = aliases.find((alias) => alias.resolve(document) === undefined);
    const where = placeAt((wrong ?? aliases.at(-1))?.range?.[0] ?? 0, lines);
    const message = wrong
      ? `the alias *${wrong.source} has no anchor &${wrong.source} before it`
      : `cannot be read: ${(error as Error).message}`;
    throw new ConfigError(`${file}:${where}: ${message}`);
  }
}

function aliasesOf(document: Document): Alias[] {
  const aliases: Alias[] = [];
  visit(document, { Alias: (_, alias) => void aliases.push(alias) });
  return aliases;
}

function placeAt(offset: number, lines: LineCounter): string {
  const { line, col } = lines.linePos(offset);
  return `${String(line)}:${String(col)}`;
}

function inFolder(bot: BotSettings, folder: string): BotSettings {
  return { ...bot, cwd: path.resolve(folder, bot.cwd ?? '.') };
}

function describe({ path: names, message }: Problem, document: Document, lines: LineCounter): string {
  const isSecret = names.length === 1 && credentials.includes(names[0] ?? '');
  const what = isSecret
    ? 'does not belong here: the agent takes its log-in from MILLRACE_USERNAME and MILLRACE_API_KEY'
    : message;
  return `${placeAt(offsetOf(names, document), lines)}: ${names.join('.') || 'the configuration'} ${what}`;
}

/** The offset of a member; of a missing one, its parent's. */
function offsetOf(names: readonly string[], document: Document): number {
  if (names.length === 0) return document.contents?.range?.[0] ?? 0;
  const parent: unknown = document.getIn(names.slice(0, -1), true);
  const pair = isMap(parent) ? parent.items.find(({ key }) => String(key) === names.at(-1)) : undefined;
  const node = (pair?.key ?? document.getIn(names, true)) as { range?: [number, ...number[]] } | undefined;
  return node?.range?.[0] ?? offsetOf(names.slice(0, -1), document);
}
