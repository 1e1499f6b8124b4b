import { createInterface } from 'node:readline/promises';
import { text } from 'node:stream/consumers';
import { Writable } from 'node:stream';
import type { Command } from 'commander';
import { Interrupted, UsageError } from './errors.ts';
import type { Terminal } from './terminal.ts';

/** Adds the flag that takes a password from stdin; never as an argument, which others could see. */
export function addPasswordFlag(command: Command): void {
  command.option('--password-stdin', 'Take the password from stdin; at a terminal it is asked for');
}

/**
 * Reads a password: the first line of stdin, or typed unseen at a terminal.
 * @param least fewest characters of a new password; a log-in only needs one that is not empty
 * @throws UsageError when there is none or it is shorter; Interrupted on Ctrl-C or Ctrl-D
 */
export async function readPassword(terminal: Terminal, least = 1): Promise<string> {
  const rule = least > 1 ? ` (at least ${String(least)} characters)` : '';
  const password = process.stdin.isTTY
    ? await ask(terminal, `Password${rule}: `, true)
    : firstLine(await text(process.stdin));
  if (password === '') throw new UsageError('The password is empty.');
  if ([...password].length < least)
    throw new UsageError(`A password has at least ${String(least)} characters; this one is shorter.`);
  return password;
}

/**
 * Reads the present password and a new one: two lines of stdin, or typed at a terminal, the new one twice.
 * @throws UsageError when one is missing, or the two entries of the new one differ
 */
export async function readPasswordChange(
  terminal: Terminal,
): Promise<{ password: string; newPassword: string }> {
  if (!process.stdin.isTTY) {
    const [password = '', newPassword = ''] = (await text(process.stdin)).split(/\r?\n/);
    if (password !== '' && newPassword !== '') return { password, newPassword };
    throw new UsageError('Two lines are needed on stdin: the present password, and the new one.');
  }
  const password = await ask(terminal, 'Present password: ', true);
  const newPassword = await ask(terminal, 'New password: ', true);
  if ((await ask(terminal, 'The new one again: ', true)) === newPassword) return { password, newPassword };
  throw new UsageError('The new password was typed in two ways. Nothing was changed.');
}

/** Whether a person is at the terminal. */
export function canAsk(): boolean {
  return process.stdin.isTTY;
}

/**
 * Asks the person at the terminal, on stderr.
 * @throws Interrupted on Ctrl-C or Ctrl-D
 */
export async function ask(terminal: Terminal, question: string, isSecret = false): Promise<string> {
  const { stdin, stderr } = process;
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output: isSecret ? nowhere : stderr, terminal: true });
  if (isSecret) stderr.write(question);
  try {
    const ended = new Promise<never>((_, reject) => {
      for (const event of ['SIGINT', 'close']) lines.once(event, () => reject(new Interrupted()));
    });
    return await Promise.race([lines.question(isSecret ? '' : question), ended]);
  } finally {
    lines.close();
    if (isSecret) terminal.say('');
  }
}

function firstLine(given: string): string {
  return given.split(/\r?\n/, 1)[0] ?? '';
}
