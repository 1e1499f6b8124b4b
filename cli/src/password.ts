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
 * Reads a password: the first line of stdin, or at a terminal what is typed there, unseen.
 * @throws UsageError when there is none; Interrupted when it was given up
 */
export async function readPassword(terminal: Terminal): Promise<string> {
  const password = process.stdin.isTTY
    ? await ask(terminal, 'Password: ', true)
    : firstLine(await text(process.stdin));
  if (password === '') throw new UsageError('The password is empty.');
  return password;
}

/** Whether there is somebody to ask. */
export function canAsk(): boolean {
  return process.stdin.isTTY;
}

/**
 * Asks the person at the terminal, on stderr.
 * @throws Interrupted when it was given up with Ctrl-C or Ctrl-D
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
