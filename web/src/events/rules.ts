import {
  operations as allOperations,
  recordedBesides,
  toId,
  type Id,
  type Input,
  type Schemas,
} from '@millrace/api';
import type { Span } from '../charts/rules.ts';
import { timeOf, type Clock, type Fields, type Field } from '../filters/compile.ts';
import { allOf, FilterProblem, partsOf, partsOfLine, print, type Filter } from '../filters/parse.ts';
import { m } from './messages.ts';

export type Event = Schemas['Event'];
export type EventQuery = Pick<
  Input<'listEvents'>['query'],
  | 'queueIds'
  | 'itemId'
  | 'queueId'
  | 'operation'
  | 'actorId'
  | 'actorKind'
  | 'deviceId'
  | 'batchId'
  | 'from'
  | 'until'
>;

/** Something with an id that people know by a name. */
export interface Named {
  readonly id: Id;
  readonly name: string;
}

/** The things that a filter can name. */
export interface Known {
  readonly queues: readonly Named[];
  readonly users: readonly Named[];
  readonly devices: readonly Named[];
  readonly operations: readonly string[];
}

const kinds = ['USER', 'RUNNER', 'MILLRACE'];

/** The fields that events can be filtered by, with suggested values. */
export function fieldsOfEvents({ queues, users, devices, operations }: Known): Fields {
  const fields: [string, Field['type']][] = [
    ['kind', kinds],
    ['operation', operations],
    ['queue', queues.map(quotedName)],
    ['by', [...users.map(quotedName), 'millrace']],
    ['device', devices.map(quotedName)],
    ['at', 'time'],
    ['item', 'id'],
    ['batch', 'id'],
  ];
  return new Map(fields.map(([name, type]) => [name, { name, type }]));
}

function quotedName({ name }: Named): string {
  return /^[\w-]+$/.test(name) ? name : `"${name.replaceAll(/["\\]/g, '\\$&')}"`;
}

/**
 * The parameters of the contract for a typed filter: each field once, several of its values joined by "or".
 * @param queueId the queue whose page it is
 * @throws FilterProblem for anything that the parameters cannot say
 */
export function eventQueryOf(
  filter: Filter | undefined,
  known: Known,
  clock: Clock,
  queueId?: Id,
): EventQuery {
  const query: Record<string, unknown> = {};
  for (const part of partsOf(filter)) {
    const { field, sign, values } = comparisonIn(part);
    if (field !== 'at' && sign !== ':') throw new FilterProblem(m.events.equalOnly(field));
    if (field === 'queue' && queueId !== undefined) throw new FilterProblem(m.events.ownQueue);
    const [name, value] = field === 'at' ? boundOf(sign, values, clock) : equalOf(field, values, known);
    if (query[name] !== undefined) throw new FilterProblem(m.events.once(field));
    query[name] = value;
  }
  const wanted = query as EventQuery;
  if (wanted.from !== undefined && wanted.until !== undefined && wanted.until <= wanted.from)
    throw new FilterProblem(m.events.noTime);
  return ofQueue(wanted, queueId);
}

function ofQueue(query: EventQuery, queueId: Id | undefined): EventQuery {
  const { queueIds, ...others } = query;
  const only = queueId ?? (queueIds?.includes(',') === false ? toId(queueIds) : undefined);
  if (query.itemId !== undefined && only === undefined) throw new FilterProblem(m.events.itemNeedsQueue);
  return only === undefined ? query : { ...others, queueId: only };
}

interface Comparison {
  readonly field: string;
  readonly sign: string;
  readonly values: readonly string[];
}

function comparisonIn(part: Filter): Comparison {
  const parts = part.is === 'or' ? part.of : [part];
  const compared = parts.map((one) => {
    if (one.is !== 'compare' || one.value === null) throw new FilterProblem(m.events.fieldsOnly);
    return { field: one.field.toLowerCase(), sign: one.sign, value: one.value };
  });
  const [{ field, sign } = { field: '', sign: '' }, ...others] = compared;
  if (others.some((other) => other.field !== field || other.sign !== sign || sign !== ':'))
    throw new FilterProblem(m.events.orOfOne);
  return { field, sign, values: compared.map(({ value }) => value) };
}

/** `from` is inclusive, `until` is exclusive. */
function boundOf(sign: string, [text = '']: readonly string[], clock: Clock): [string, string] {
  const time = new Date(timeOf(text, clock).replace(' ', 'T').replace(',', '.')).getTime();
  if (Number.isNaN(time)) throw new FilterProblem(m.filters.badDate(text));
  const at = (milliseconds: number) => new Date(time + milliseconds).toISOString();
  if (sign === '>' || sign === '>=') return ['from', at(sign === '>' ? 1 : 0)];
  if (sign === '<' || sign === '<=') return ['until', at(sign === '<=' ? 1 : 0)];
  throw new FilterProblem(m.events.timeSigns);
}

function equalOf(field: string, values: readonly string[], known: Known): [string, unknown] {
  if (field === 'kind') return ['actorKind', values.map((one) => wordOf(field, one, kinds)).join(',')];
  if (field === 'operation')
    return ['operation', values.map((one) => wordOf(field, one, known.operations)).join(',')];
  if (field === 'queue') return ['queueIds', values.map((one) => idOf(field, one, known.queues)).join(',')];
  const [value = '', ...others] = values;
  if (others.length > 0) throw new FilterProblem(m.events.oneOnly(field));
  if (field === 'by') {
    return ['actorId', value.toLowerCase() === 'millrace' ? 0 : toId(idOf(field, value, known.users))];
  }
  if (field === 'device') return ['deviceId', toId(idOf(field, value, known.devices))];
  if (field === 'item' || field === 'batch') return [`${field}Id`, toId(idOf(field, value, []))];
  throw new FilterProblem(m.events.unknownField(field));
}

function wordOf(field: string, value: string, words: readonly string[]): string {
  const found = words.find((word) => word.toLowerCase() === value.toLowerCase());
  if (found === undefined) throw new FilterProblem(m.events.unknownName(field, value));
  return found;
}

function idOf(field: string, value: string, named: readonly Named[]): string {
  const found = named.find(({ name }) => name.toLowerCase() === value.toLowerCase());
  if (found) return String(found.id);
  if (!/^[1-9]\d{0,18}$/.test(value)) throw new FilterProblem(m.events.unknownName(field, value));
  return value;
}

/** The filter with a time in place of the one that it has; `to` itself is not in it. */
export function withTime(q: string, from: Date, to: Date): string {
  const others = partsOfLine(q).filter(
    (part) => !(part.is === 'compare' && part.field.toLowerCase() === 'at'),
  );
  const bounds = [
    { is: 'compare', field: 'at', sign: '>=', value: from.toISOString() },
    { is: 'compare', field: 'at', sign: '<', value: to.toISOString() },
  ] as const;
  return print(allOf([...others, ...bounds]));
}

type Counts = Schemas['EventCounts'];

/** The bars of counts: each span has one that is exact, or one that is estimated. */
export function spansOf({ list }: Counts): readonly Span[] {
  return list.map(({ from, count, isEstimated = false }) => {
    const value = Number(count);
    return { from: new Date(from), values: isEstimated ? [undefined, value] : [value, undefined] };
  });
}

/** The sum of counts, and the fullest span. */
export function sumOf({ list }: Counts) {
  const counted = list.map(({ from, count, isEstimated = false }) => ({
    from,
    count: Number(count),
    isEstimated,
  }));
  const most = counted.toSorted((one, other) => other.count - one.count)[0];
  return {
    total: counted.reduce((sum, { count }) => sum + count, 0),
    isEstimated: counted.some(({ isEstimated }) => isEstimated),
    most: most && most.count > 0 ? most : undefined,
  };
}

/** Events that stand in one line: one action on many items. */
export interface Line {
  readonly event: Event;
  readonly all: readonly Event[];
}

/** Puts neighbouring events that tell the same of several items into one line. */
export function linesOf(events: readonly Event[]): readonly Line[] {
  const lines: { event: Event; all: Event[] }[] = [];
  for (const event of events) {
    const last = lines.at(-1);
    if (last && isAlike(last.event, event)) last.all.push(event);
    else lines.push({ event, all: [event] });
  }
  return lines;
}

function isAlike(one: Event, other: Event): boolean {
  const tellsOf = ({ itemId, queueId, operation, actorId, deviceId, from, to, reason, batchId }: Event) =>
    itemId === undefined
      ? undefined
      : [queueId, operation, actorId, deviceId, from, to, reason, batchId].map(String).join('\n');
  const told = tellsOf(one);
  return told !== undefined && told === tellsOf(other);
}

/** The name of an event's subject that is neither in a queue nor a device, as far as the event has it. */
export function subjectOf({ queueId, deviceId, changes = {} }: Event): string | undefined {
  if (queueId !== undefined || deviceId !== undefined) return undefined;
  const name = changes['name'] ?? changes['username'];
  return typeof name === 'string' ? name : undefined;
}

/** Whether an operation may have left events: most reading ones have not. */
function isRecorded(name: string): boolean {
  return !/^(list|get|stream|explain|find|watch|preview|verify)/.test(name);
}

export const recorded: readonly string[] = [
  ...Object.keys(allOperations).filter(isRecorded),
  ...recordedBesides,
];

/** The operations on each kind of thing, and the member of their changes that identifies it. */
const kindsOfThings: readonly { readonly by: RegExp; readonly id?: string }[] = [
  { by: /(Member|Participant)$/, id: 'userId' },
  { by: /Consumer$/, id: 'roleId' },
  { by: /Role$/, id: 'roleId' },
  { by: /ApiKey$/, id: 'apiKeyId' },
  { by: /(User|Password|Session)$/, id: 'userId' },
  { by: /WorkItemModel$/, id: 'workItemModelId' },
  { by: /Pool$/, id: 'poolId' },
  { by: /Calendar$/, id: 'calendarId' },
  { by: /Automation$/, id: 'automationId' },
  { by: /Tenant$/, id: 'tenantId' },
  { by: /Devices?$/ },
  { by: /QueueLevel$/ },
  { by: /Queues?$/ },
];

function kindOf(operation: string) {
  return kindsOfThings.find(({ by }) => by.test(operation));
}

/** The operations that may have set the members that an operation changes. */
export function relatedTo(operation: string): readonly string[] {
  const kind = kindOf(operation);
  return kind ? [...new Set([operation, ...recorded.filter((name) => kind.by.test(name))])] : [operation];
}

/** Whether two events are about one and the same thing: the same role, not any two roles. */
export function isOfSame(one: Event, other: Event): boolean {
  if (one.queueId !== other.queueId || one.itemId !== other.itemId) return false;
  if (one.itemId !== undefined) return true;
  const { by, id } = kindOf(one.operation) ?? {};
  const isOfKind = by ? by.test(other.operation) : one.operation === other.operation;
  const subject = ({ changes = {} }: Event) => (id === undefined ? '' : String(changes[id]));
  return isOfKind && one.deviceId === other.deviceId && subject(one) === subject(other);
}

/** A change in an event, with the former value as far as earlier events have it. */
export interface Told {
  readonly name: string;
  readonly before: unknown;
  readonly after: unknown;
}

/**
 * The changes of an event, with the former values as far as earlier events of the same thing have them.
 * @param earlier the newest first
 */
export function toldBy({ changes = {} }: Event, earlier: readonly Event[]): readonly Told[] {
  return Object.entries(changes).map(([name, after]) => {
    const last = earlier.find(({ changes: then }) => then !== undefined && name in then);
    return { name, before: last?.changes?.[name], after };
  });
}
