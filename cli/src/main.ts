import { readConfig } from './config.ts';
import { failureOf, sayFailure } from './errors.ts';
import { withCommandWords } from './command-words.ts';
import { createProgram } from './program.ts';
import { openTerminal } from './terminal.ts';

/** Runs one command; the exit code of the process tells the result. */
export async function main(argv: readonly string[]): Promise<void> {
  const config = readConfig();
  const terminal = openTerminal(config.isPlain);
  const program = createProgram({ config, terminal });
  try {
    await program.parseAsync(withCommandWords(argv), { from: 'user' });
  } catch (error) {
    const failure = failureOf(error);
    process.exitCode = failure.exitCode;
    sayFailure(terminal, failure, asksForJson(argv));
  }
}

// Works even when the arguments cannot be parsed. Arguments behind `--` belong to another command.
function asksForJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end === -1 ? undefined : end).includes('--json');
}
