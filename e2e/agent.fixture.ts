/** An agent as a process of its own, for tests: options as JSON in the first argument, events as JSON lines on stdout. */
import { runAgent, type AgentOptions } from '@millrace/runner';

const options = JSON.parse(process.argv[2] ?? '{}') as AgentOptions;
await runAgent({ ...options, onEvent: (event) => process.stdout.write(`${JSON.stringify(event)}\n`) });
