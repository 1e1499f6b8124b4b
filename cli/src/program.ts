import { readFileSync } from 'node:fs';
import { operations, type Operation, type OperationId } from '@millrace/api';
import { Command, type Argument } from 'commander';
import { isByHand } from './command-words.ts';
import { addAdmin } from './commands/admin.ts';
import { addAgent } from './commands/agent.ts';
import { addAuditVerify } from './commands/audit-verify.ts';
import { addCompletion } from './commands/completion.ts';
import { addDemo } from './commands/demo.ts';
import { addEvents } from './commands/events.ts';
import { addItemExport } from './commands/export.ts';
import { addItemCreate } from './commands/item-create.ts';
import { addLogin } from './commands/login.ts';
import { addLogout } from './commands/logout.ts';
import { addLookIntoFile, looksIntoFile } from './commands/look-into-file.ts';
import { addPassword } from './commands/password.ts';
import { addQueueWatch } from './commands/queue-watch.ts';
import { addRun } from './commands/run.ts';
import { addServe } from './commands/serve.ts';
import { addStatus } from './commands/status.ts';
import { addUpload } from './commands/upload.ts';
import type { Context } from './context.ts';
import { addExamples, groupSummaries } from './help.ts';
import { callsOperation } from './operation-command.ts';

const firstNames = ['create', 'list', 'get', 'update', 'delete'];

/** All commands. Nothing runs before `parseAsync`. */
export function createProgram(context: Context): Command {
  const program = emptyProgram();
  program.commandsGroup('Start:');
  addServe(program);
  addStatus(program, context);
  addDemo(program, context);
  addLogin(program, context);
  addLogout(program, context);
  addPassword(program, context);
  addAdmin(program);
  program.commandsGroup('Work:');
  groupOf(program, 'queue');
  groupOf(program, 'item');
  addUpload(program, context);
  addRun(program, context);
  addAgent(program, context);
  addEvents(program, context);
  program.commandsGroup('Set up:');
  addOperations(program, context);
  program.commandsGroup('Shell:');
  addCompletion(program);
  program.helpCommand('help [command]', 'Explain a command');
  addExamples(program);
  return program;
}

function emptyProgram(): Command {
  const subcommandTerm = (command: Command) =>
    [command.name(), ...command.registeredArguments.map(argumentTerm)].join(' ');
  return (
    new Command('millrace')
      .description('Put work items into queues, process them, and see what became of them.')
      .usage('<command> [options]')
      .version(versionOf(), '-V, --version', 'Print the version')
      .helpOption('-h, --help', 'Explain a command')
      // Otherwise the --version of a queue to update would be taken for that of the program.
      .enablePositionalOptions()
      .exitOverride()
      // Wrong usage is reported in main.ts like every failure, so that --json works for it too.
      .configureOutput({ outputError: () => undefined })
      .configureHelp({ subcommandTerm })
  );
}

function addOperations(program: Command, context: Context): void {
  for (const [operationId, words] of commandsOfOperations()) {
    const name = words.at(-1) ?? '';
    const parent = words.slice(0, -1).reduce(groupOf, program);
    if (operationId === 'createWorkItems') addItemCreate(parent, context);
    else if (operationId === 'exportWorkItems') addItemExport(parent, context);
    else if (operationId === 'streamQueueStats') addQueueWatch(parent, context);
    else if (operationId === 'verifyAudit') addAuditVerify(parent.command(name), context);
    else if (looksIntoFile(operationId)) addLookIntoFile(parent.command(name), operationId, context);
    else if (!isByHand(operationId)) callsOperation(parent.command(name), operationId, context);
  }
}

/** The operations that have a command, with its words; the help lists the commonest first. */
function commandsOfOperations(): [OperationId, string[]][] {
  const commands = Object.entries<Operation>(operations).flatMap(
    ([id, { cli }]): [OperationId, string[]][] => (cli === null ? [] : [[id as OperationId, cli.split(' ')]]),
  );
  return commands.toSorted(([, one], [, other]) => rankOf(one) - rankOf(other));
}

function rankOf(words: readonly string[]): number {
  const rank = firstNames.indexOf(words.at(-1) ?? '');
  return rank === -1 ? firstNames.length : rank;
}

/** The group of commands with this name, created on first use. */
function groupOf(parent: Command, name: string): Command {
  const known = parent.commands.find((one) => one.name() === name);
  if (known !== undefined) return known;
  const summary = groupSummaries[name] ?? name;
  return parent
    .command(name)
    .summary(summary)
    .description(`${summary}.`)
    .usage('<command> [options]')
    .helpCommand(false);
}

function argumentTerm(argument: Argument): string {
  const { required, variadic } = argument;
  const term = `${argument.name()}${variadic ? '...' : ''}`;
  return required ? `<${term}>` : `[${term}]`;
}

function versionOf(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
