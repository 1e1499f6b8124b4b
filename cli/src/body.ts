import { readFile } from 'node:fs/promises';
import { text as textFrom } from 'node:stream/consumers';
import { parseJson } from '@millrace/api';
import { UsageError } from './errors.ts';

/**
 * Reads JSON from an option: the JSON itself, `@file`, or `-` for stdin.
 * @param option its name, for messages
 * @throws UsageError that says which text is no JSON, or which file cannot be read
 */
export async function readJsonOption(option: string, given: string): Promise<unknown> {
  const { text, source } = await textOf(option, given);
  try {
    return parseJson(text);
  } catch (error) {
    throw new UsageError(`${source} is no JSON: ${(error as Error).message}`);
  }
}

/**
 * The body with members from flags put in; undefined when there is neither.
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
  if (given === '-') return { text: await textFrom(process.stdin), source: 'What came on stdin' };
  if (!given.startsWith('@')) return { text: given, source: option };
  const file = given.slice(1);
  try {
    return { text: await readFile(file, 'utf8'), source: file };
  } catch (error) {
    throw new UsageError(`${option} names a file that cannot be read: ${(error as Error).message}`);
  }
}
