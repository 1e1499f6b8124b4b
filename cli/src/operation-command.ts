import {
  operations,
  type Client,
  type DownloadedFile,
  type Id,
  type Operation,
  type OperationId,
} from '@millrace/api';
import type { Command } from 'commander';
import { openClient } from './access.ts';
import { printAnswer, refusalsIn } from './answer.ts';
import { isRecord, mergedBody, readJsonOption } from './body.ts';
import { updateInPortions, type BulkCall } from './bulk.ts';
import { addCallFlags, type CallFlags, type Context } from './context.ts';
import { describe, timesInRows, type Description, type Member } from './contract.ts';
import { currentVersion, isKnownVersion, optionalVersion } from './current-version.ts';
import { addForEverFlag, canDefer, deferralTime, withDeferral } from './deferral.ts';
import { displayColumnsOf, underColumns, usesDisplayColumns, withColumns } from './display-columns.ts';
import { UsageError, exitCodes } from './errors.ts';
import { flagName, hasFlag, optionsFor, readWholeNumber, valuesOf } from './flags.ts';
import { namesOf } from './kinds.ts';
import { createLiveLine } from './live-line.ts';
import {
  addFilterFlags,
  addItemListFlags,
  addListFlags,
  changedFilter,
  filterOf,
  listRequest,
  type ListFlags,
} from './list-request.ts';
import { comparisonWithId, idOf, withIds } from './names.ts';
import { addPasswordFlag, ask, canAsk, readPassword } from './password.ts';
import { saveFile } from './save-file.ts';
import { oneLine, type Terminal } from './terminal.ts';

type Values = Readonly<Record<string, unknown>>;
type Flags = CallFlags &
  ListFlags & {
    readonly body?: string;
    readonly passwordStdin?: boolean;
    readonly forEver?: boolean;
    readonly output?: string;
  } & Values;

/** A command that calls an operation. */
interface Plan {
  readonly operationId: OperationId;
  readonly operation: Operation;
  readonly description: Description;
  /** Members with a flag of their own. */
  readonly members: readonly Member[];
  readonly takesPassword: boolean;
  /** Fewest characters of a password that is set. */
  readonly leastPassword: number;
}

// Members of a body that repeat a parameter of the path, so that nobody types it twice.
const repeatedInBody: Partial<Record<OperationId, Readonly<Record<string, string>>>> = {
  updateWorkItem: { id: 'workItemId', queueId: 'id' },
};

// The time limit of an answer, on top of the time that a claim waits for work.
const answerSeconds = 60;

/** Makes a command call its operation: arguments, flags and help come from the contract. */
export function callsOperation(command: Command, operationId: OperationId, context: Context): void {
  const plan = planOf(operationId);
  const { operation, description, members } = plan;
  command.summary(operation.summary).description(description.text);
  for (const { name, description: what, names, isText } of description.parameters) {
    if (isText) command.argument(`<${name}>`, what);
    else if (names === undefined) command.argument(`<${name}>`, what, readWholeNumber);
    else command.argument(`<${names}>`, namesOf(names));
  }
  if (description.isOfItems) addItemListFlags(command);
  if (description.isList) addListFlags(command);
  else if (description.isFiltered) addFilterFlags(command);
  for (const option of members.map((one) => asFlag(operationId, one)).flatMap(optionsFor))
    command.addOption(option);
  if (canDefer(operationId)) addForEverFlag(command);
  if (plan.takesPassword) addPasswordFlag(command);
  if (operation.body === 'json')
    command.option('--body <json>', 'The whole body: JSON, @file or - for stdin');
  if (description.isFile)
    command.option(
      '--output <file>',
      'Where to save it; - for stdout, and by its own name in this folder otherwise',
    );
  addCallFlags(command);
  command.action(() => callOperation(context, plan, command));
}

function planOf(operationId: OperationId): Plan {
  const description = describe(operationId);
  const repeated = repeatedInBody[operationId] ?? {};
  const members = description.isList
    ? []
    : description.members.filter((one) => hasFlag(one) && !(one.name in repeated) && !isFilter(one));
  const password = description.members.find(({ name }) => name === 'password');
  return {
    operationId,
    operation: operations[operationId],
    description,
    members,
    takesPassword: password !== undefined,
    leastPassword: password?.minLength ?? 1,
  };
}

/** A member with the explanation of its flag. */
function asFlag(operationId: OperationId, member: Member): Member {
  if (isKnownVersion(member)) return optionalVersion(operationId, member);
  return member.name === 'deferredUntil' ? deferralTime(member) : member;
}

/** Whether an operation acts on the thing in its path and requires only its version. */
function needsVersionOnly({ operation, members }: Plan): boolean {
  const required = members.filter(({ isRequired }) => isRequired);
  return operation.method === 'POST' && required.length > 0 && required.every(isKnownVersion);
}

/** The body, with the current version of the thing that it changes unless it has one. */
async function withVersion(client: Client, plan: Plan, body: unknown, path: Values): Promise<unknown> {
  if (!isRecord(body) || body['version'] !== undefined || !plan.members.some(isKnownVersion)) return body;
  return { ...body, version: await currentVersion(client, plan.operationId, path) };
}

/** Filters have flags of their own. */
function isFilter({ name, place }: Member): boolean {
  return name === 'filter' && place === 'body';
}

async function callOperation({ config, terminal }: Context, plan: Plan, command: Command): Promise<void> {
  const { operationId, description, members } = plan;
  const flags = command.optsWithGlobals<Flags>();
  const given = await bodyFrom(terminal, plan, flags);
  const query = await valuesOf(inPlace(plan, 'query'), flags);
  const client = await openClient(config, flags.url);
  const path = await pathFrom(client, plan, command.processedArgs);
  const columns = usesDisplayColumns(operationId) ? displayColumnsOf(client, path['id'] as Id) : undefined;
  const named = columns === undefined ? given : await withColumns(given, columns);
  const repeated = withRepeated(operationId, await inIds(client, members, named), path);
  const body = await withVersion(client, plan, repeated, path);
  const call = { path, query: await withIds(client, members, query), body };
  const value = await answerTo(client, terminal, { operationId, call });
  const asJson = flags.json === true;
  if (description.isFile) {
    const saved = await saveFile(terminal, value as DownloadedFile, flags.output);
    if (saved) terminal.say(`Wrote ${saved.file}.`);
    return;
  }
  const shown = asJson || columns === undefined ? value : await inColumns(value, columns);
  printAnswer(terminal, { operationId, value: shown, description: description.answer }, asJson);
  if (isNothingToClaim(operationId, value) && terminal.width !== undefined && !asJson)
    await sayWhy(client, terminal, path['id'] as Id);
  if (refusalsIn(value) > 0) process.exitCode = exitCodes.refused;
}

interface Sent {
  readonly operationId: OperationId;
  readonly call: { readonly path: Values; readonly query: Values; readonly body: unknown };
}

function answerTo(client: Client, terminal: Terminal, { operationId, call }: Sent): Promise<unknown> {
  if (operationId === 'updateWorkItemStatus')
    return updateInPortions(client, call as unknown as BulkCall, createLiveLine(terminal));
  return client.call(operationId, call, { timeoutSeconds: answerSeconds + waitOf(call.body) });
}

function isNothingToClaim(operationId: OperationId, value: unknown): boolean {
  return operationId === 'claimWorkItems' && (value as { list: unknown[] }).list.length === 0;
}

/** Says why a queue grants nothing, where the caller may know. */
async function sayWhy(client: Client, { say }: Terminal, id: Id): Promise<void> {
  const why = await client.explainQueue({ path: { id } }, { timeoutSeconds: 10 }).catch(() => undefined);
  if (why !== undefined) say(oneLine(why.sentence));
}

async function pathFrom(
  client: Client,
  { description }: Plan,
  given: readonly unknown[],
): Promise<Record<string, unknown>> {
  const path: Record<string, unknown> = {};
  for (const [index, { name, names }] of description.parameters.entries()) {
    path[name] = names === undefined ? given[index] : await idOf(client, names, given[index]);
  }
  return path;
}

function inPlace({ members }: Plan, place: Member['place']): Member[] {
  return members.filter((member) => member.place === place);
}

async function bodyFrom(terminal: Terminal, plan: Plan, flags: Flags): Promise<unknown> {
  const { operation, description } = plan;
  if (operation.body !== 'json') return undefined;
  const whole = flags.body === undefined ? undefined : await readJsonOption('--body', flags.body);
  const password =
    flags.passwordStdin === true ? { password: await readPassword(terminal, plan.leastPassword) } : {};
  const times = flags.where === undefined ? [] : timesInRows(plan.operationId);
  const list = description.isList ? await listRequest(flags, times) : await filterOf(flags, times);
  const merged = mergedBody(whole, {
    ...list,
    ...(await valuesOf(inPlace(plan, 'body'), flags)),
    ...password,
  });
  const body = merged ?? (needsVersionOnly(plan) ? {} : undefined);
  if (body === undefined && operation.bodyRequired) throw new UsageError(nothingToSend(plan));
  if (!canDefer(plan.operationId)) return body;
  const askPerson = canAsk() ? (question: string) => ask(terminal, question) : undefined;
  return withDeferral(plan.operationId, body, { isForEver: flags.forEver === true, askPerson });
}

/** The body with ids in place of names, also in its filter. */
async function inIds(client: Client, members: readonly Member[], body: unknown): Promise<unknown> {
  if (!isRecord(body)) return body;
  const { filter } = body;
  const compared = await changedFilter(filter, (comparison) => comparisonWithId(client, comparison));
  return withIds(client, members, filter === undefined ? body : { ...body, filter: compared });
}

async function inColumns(value: unknown, columns: () => Promise<readonly string[]>): Promise<unknown> {
  if (!isRecord(value) || !Array.isArray(value['list'])) return value;
  return { ...value, list: underColumns(value['list'] as Values[], await columns()) };
}

function withRepeated(operationId: OperationId, body: unknown, path: Values): unknown {
  const repeated = Object.entries(repeatedInBody[operationId] ?? {});
  return mergedBody(body, Object.fromEntries(repeated.map(([name, parameter]) => [name, path[parameter]])));
}

function nothingToSend({ members }: Plan): string {
  const required = members.filter((one) => one.isRequired && !isKnownVersion(one));
  const least =
    required.length === 0
      ? ' or a flag'
      : `, or at least ${required.map(({ name }) => flagName(name)).join(' and ')}`;
  return `There is nothing to send. Give --body${least}; --help shows what can be given.`;
}

function waitOf(body: unknown): number {
  const wait = (body as { waitSeconds?: unknown } | undefined)?.waitSeconds;
  return typeof wait === 'number' ? wait : 0;
}
