import { readFile } from 'node:fs/promises';
import path from 'node:path';

/** The file in which the story's bots book their payments, as the statement that a person would look up at the bank. */
export function statementIn(folder: string): string {
  return path.join(folder, 'statement.jsonl');
}

/** The references of all payments that the bank has received, each as often as it was sent. */
export async function readStatement(folder: string): Promise<string[]> {
  const text = await readFile(statementIn(folder), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const lines = text.split('\n').filter(Boolean);
  return lines.map((line) => (JSON.parse(line) as { reference: string }).reference);
}
