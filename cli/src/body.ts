import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { faultIn, parseJson, wayToDuplicate } from '@millrace/api';
import { UsageError } from './errors.ts';
import { whyUnreadable } from './files.ts';

/**
 * Reads JSON from an option: the JSON itself, `@file`, or `-` for stdin.
 * @param option its name, for messages
 * @throws UsageError that says which text is no JSON, or which file cannot be read
 */
export async function readJsonOption(option: string, given: string): Promise<unknown> {
  const { text, source } = await textOf(option, given);
  const value = parsed(text, source);
  // The server refuses it as well, but the body is written anew here, with only the last of the two.
  const twice = wayToDuplicate(text);
  if (twice.length > 0)
    throw new UsageError(`${source} has ${twice.join('.')} twice. Leave out one of them.`);
  return value;
}

function parsed(text: string, source: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    const fault = faultIn(text);
    const what = fault ? `${fault.way.join('.') || 'it'} ${fault.message}` : (error as Error).message;
    throw new UsageError(`${source} is no JSON: ${what}.`);
  }
}

/**
 * Merges members from flags into the body; undefined when there is neither.
 * @throws UsageError when the body is no object, so that nothing can be put in
 */
export function mergedBody(body: unknown, flags: Readonly<Record<string, unknown>>): unknown {
  const given = Object.entries(flags).filter(([, value]) => value !== undefined);
  if (given.length === 0) return body;
  if (body !== undefined && !isRecord(body))
    throw new UsageError('--body is no JSON object, so that the other flags cannot be added to it.');
  return { ...body, ...Object.fromEntries(given) };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function textOf(option: string, given: string): Promise<{ text: string; source: string }> {
  if (given === '-') return decoded(await buffer(process.stdin), 'What came on stdin');
  if (!given.startsWith('@')) return { text: given, source: option };
  const file = given.slice(1);
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new UsageError(`${option} names ${file}, which cannot be read: ${whyUnreadable(error)}.`);
  });
  return decoded(bytes, file);
}

/** Decodes strictly: a lenient decoder would put � into the data for each letter of another encoding. */
function decoded(bytes: Buffer, source: string): { text: string; source: string } {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), source };
  } catch {
    throw new UsageError(`${source} is not in UTF-8. Save or send it in that encoding.`);
  }
}
