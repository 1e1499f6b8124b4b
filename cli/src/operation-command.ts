import { operations, type Operation, type OperationId } from '@millrace/api';
import type { Command } from 'commander';
import { openClient } from './access.ts';
import { printAnswer, refusalsIn } from './answer.ts';
import { mergedBody, readJsonOption } from './body.ts';
import { addCallFlags, type CallFlags, type Context } from './context.ts';
import { describe, type Description, type Member } from './contract.ts';
import { exitCodes, UsageError } from './errors.ts';
import { attributeOf, flagName, hasFlag, optionsFor, readWholeNumber } from './flags.ts';
import { addFilterFlags, addListFlags, filterOf, listRequest, type ListFlags } from './list-request.ts';
import { addPasswordFlag, readPassword } from './password.ts';
import { queueIdOf } from './queue-name.ts';

type Values = Readonly<Record<string, unknown>>;
type Flags = CallFlags & ListFlags & { readonly body?: string; readonly passwordStdin?: boolean } & Values;

/** A command that calls an operation. */
interface Plan {
  readonly operationId: OperationId;
  readonly operation: Operation;
  readonly description: Description;
  /** Members with a flag of their own. */
  readonly members: readonly Member[];
  readonly takesPassword: boolean;
}

// Where a body repeats what the path says, nobody has to type it twice: the member, and the parameter it is equal to.
const repeatedInBody: Partial<Record<OperationId, Readonly<Record<string, string>>>> = {
  updateWorkItem: { id: 'workItemId', queueId: 'id' },
};

// How long an answer may take, on top of the time that a claim waits for work.
const answerSeconds = 60;

/** Makes a command call its operation: arguments, flags and help come from the contract. */
export function callsOperation(command: Command, operationId: OperationId, context: Context): void {
  const plan = planOf(operationId);
  const { operation, description, members } = plan;
  command.summary(operation.summary).description(description.text);
  for (const { name, description: what, isQueue } of description.parameters) {
    if (isQueue) command.argument('<queue>', 'Name or id of the queue');
    else command.argument(`<${name}>`, what, readWholeNumber);
  }
  if (description.isList) addListFlags(command);
  else if (description.isFiltered) addFilterFlags(command);
  for (const option of members.flatMap(optionsFor)) command.addOption(option);
  if (plan.takesPassword) addPasswordFlag(command);
  if (operation.body === 'json')
    command.option('--body <json>', 'The whole body: JSON, @file or - for stdin');
  addCallFlags(command);
  command.action(() => callOperation(context, plan, command));
}

function planOf(operationId: OperationId): Plan {
  const description = describe(operationId);
  const repeated = repeatedInBody[operationId] ?? {};
  const members = description.isList
    ? []
    : description.members.filter((one) => hasFlag(one) && !(one.name in repeated) && !isFilter(one));
  const takesPassword = description.members.some(({ name }) => name === 'password');
  return { operationId, operation: operations[operationId], description, members, takesPassword };
}

/** A filter has flags of its own. */
function isFilter({ name, place }: Member): boolean {
  return name === 'filter' && place === 'body';
}

async function callOperation({ config, terminal }: Context, plan: Plan, command: Command): Promise<void> {
  const { operationId, description } = plan;
  const flags = command.optsWithGlobals<Flags>();
  const given = await bodyFrom(terminal, plan, flags);
  const client = await openClient(config, flags.url);
  const path = await pathFrom(plan, command.processedArgs, (queue) => queueIdOf(client, queue));
  const body = withRepeated(operationId, given, path);
  const query = await chosen(plan, 'query', flags);
  const timeoutSeconds = answerSeconds + waitOf(body);
  const value = await client.call(operationId, { path, query, body }, { timeoutSeconds });
  printAnswer(terminal, { operationId, value, description: description.answer }, flags.json === true);
  if (refusalsIn(value) > 0) process.exitCode = exitCodes.refused;
}

async function pathFrom(
  { description }: Plan,
  given: readonly unknown[],
  idOf: (queue: string) => Promise<unknown>,
): Promise<Values> {
  const path: Record<string, unknown> = {};
  for (const [index, { name, isQueue }] of description.parameters.entries()) {
    path[name] = isQueue ? await idOf(String(given[index])) : given[index];
  }
  return path;
}

async function bodyFrom(terminal: Context['terminal'], plan: Plan, flags: Flags): Promise<unknown> {
  const { operation, description } = plan;
  if (operation.body !== 'json') return undefined;
  const whole = flags.body === undefined ? undefined : await readJsonOption('--body', flags.body);
  const password = flags.passwordStdin === true ? { password: await readPassword(terminal) } : {};
  const list = description.isList ? await listRequest(flags) : await filterOf(flags);
  const body = mergedBody(whole, { ...list, ...(await chosen(plan, 'body', flags)), ...password });
  if (body === undefined && operation.bodyRequired) throw new UsageError(nothingToSend(plan));
  return body;
}

async function chosen({ members }: Plan, place: Member['place'], flags: Values): Promise<Values> {
  const values: Record<string, unknown> = {};
  for (const { name, kind } of members.filter((member) => member.place === place)) {
    const flag = flagName(name);
    const value = flags[attributeOf(flag)];
    if (value !== undefined)
      values[name] = kind === 'json' ? await readJsonOption(flag, value as string) : value;
  }
  return values;
}

function withRepeated(operationId: OperationId, body: unknown, path: Values): unknown {
  const repeated = Object.entries(repeatedInBody[operationId] ?? {});
  return mergedBody(body, Object.fromEntries(repeated.map(([name, parameter]) => [name, path[parameter]])));
}

function nothingToSend({ members }: Plan): string {
  const flags = members.filter(({ isRequired }) => isRequired).map(({ name }) => flagName(name));
  const least = flags.length === 0 ? '' : `, or at least ${flags.join(' and ')}`;
  return `There is nothing to send. Give --body${least}; --help shows what can be given.`;
}

function waitOf(body: unknown): number {
  const wait = (body as { waitSeconds?: unknown } | undefined)?.waitSeconds;
  return typeof wait === 'number' ? wait : 0;
}
