/** An agent as a process of its own, for tests: options as JSON in the first argument, events as JSON lines on stdout. */
import { runCommand, type CommandOptions } from '@millrace/runner';

const options = JSON.parse(process.argv[2] ?? '{}') as CommandOptions;
await runCommand({ ...options, onEvent: (event) => process.stdout.write(`${JSON.stringify(event)}\n`) });
