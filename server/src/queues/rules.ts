import type { Id, Schemas } from '@millrace/api';
import { Refusal, type ErrorDetail } from '../errors.ts';
import { nameProblems, type Attribute } from '../models/rules.ts';

/** What operations on the items of a queue need to know of it. */
export interface QueueDefinition {
  readonly id: Id;
  readonly tenantId: Id;
  readonly name: string;
  readonly status: 'ACTIVE' | 'INACTIVE';
  readonly disallowDuplicate: boolean;
  readonly autoRetryLimit: number;
  readonly processingOrders: readonly string[];
  readonly displayColumns: readonly string[];
  readonly expiry?: Schemas['QueueExpiry'];
  readonly attributes: readonly Attribute[];
}

const settingNames = [
  'name',
  'description',
  'status',
  'reactivationThreshold',
  'reactivationUnit',
  'manualProcessingTime',
  'manualProcessingTimeUnit',
  'disallowDuplicate',
  'autoRetryLimit',
  'workItemProcessingOrders',
  'displayColumns',
  'expiry',
] as const;

type Setting = (typeof settingNames)[number];
type Optional = 'manualProcessingTime' | 'manualProcessingTimeUnit' | 'expiry';

/** What a person may set of a queue. */
export type QueueSettings = Required<Pick<Schemas['Queue'], Exclude<Setting, Optional>>> &
  Pick<Schemas['Queue'], Optional>;

/** What the settings depend on besides the request. */
export interface Circumstances {
  /** Of the queue's model. */
  readonly attributes: readonly Attribute[];
  readonly now: Date;
}

const maxDisplayColumns = 10;
const timeUnits = ['SECONDS', 'MINUTES', 'HOURS', 'DAYS'];
const durationUnits = ['MINUTES', 'HOURS', 'DAYS'];

/** The settings of a new queue. @throws Refusal INVALID_REQUEST that names each member that is wrong. */
export function newSettings(sent: Schemas['NewQueue'], circumstances: Circumstances): QueueSettings {
  const defaults = {
    description: '',
    status: 'ACTIVE' as const,
    reactivationUnit: 'PERCENT' as const,
    // Less than 100 % of a pass waits from its first claim on, so no device idles while there is work; and a count
    // of 1 starts a drained queue with the first item.
    reactivationThreshold: sent.reactivationUnit === 'COUNT' ? 1 : 100,
    disallowDuplicate: false,
    autoRetryLimit: 0,
    workItemProcessingOrders: [],
    displayColumns: circumstances.attributes.slice(0, maxDisplayColumns).map(({ name }) => name),
  };
  return settle({ ...defaults, ...settingsIn(sent), name: sent.name }, undefined, circumstances);
}

/**
 * The settings of a queue after a change; those that the request leaves out stay.
 * @throws Refusal INVALID_REQUEST that names each member that is wrong.
 */
export function changedSettings(
  current: QueueSettings,
  sent: Schemas['QueueUpdate'],
  circumstances: Circumstances,
): QueueSettings {
  return settle({ ...current, ...settingsIn(sent) }, current, circumstances);
}

/** Whether items would be claimed in another order: each carries its place, worked out when it came. */
export function isReordered(before: QueueSettings, after: QueueSettings): boolean {
  const [old, wanted] = [before.workItemProcessingOrders, after.workItemProcessingOrders];
  return old.length !== wanted.length || old.some((order, index) => order !== wanted[index]);
}

/** Whether duplicates are refused from now on: items that came before could not be compared with. */
export function startsComparing(before: QueueSettings, after: QueueSettings): boolean {
  return after.disallowDuplicate && !before.disallowDuplicate;
}

/** The attribute that an order names, and its direction; a leading `-` is descending unless it is part of the name. */
export function orderOf(attributes: readonly Attribute[], order: string) {
  const exact = attributes.find(({ name }) => name === order);
  if (exact) return { attribute: exact, isDescending: false };
  const attribute = attributes.find(({ name }) => `-${name}` === order);
  return attribute && { attribute, isDescending: true };
}

function settingsIn(sent: Partial<Schemas['Queue']>): Partial<QueueSettings> {
  return Object.fromEntries(
    settingNames.flatMap((name) => (sent[name] === undefined ? [] : [[name, sent[name]]])),
  );
}

function settle(wanted: QueueSettings, current: QueueSettings | undefined, circumstances: Circumstances) {
  const settings = spelled(wanted);
  const details = [
    ...nameProblems(settings.name),
    ...numberProblems(settings),
    ...columnProblems(settings, circumstances),
    ...orderProblems(settings, circumstances),
    ...expiryProblems(settings.expiry, current?.expiry, circumstances.now),
  ];
  if (details.length > 0) {
    const sentences = details.map(({ field, message }) => `${field} ${message}`).join('; ');
    throw new Refusal('INVALID_REQUEST', `These are no settings for a queue: ${sentences}.`, { details });
  }
  return settings;
}

/** The settings in the one spelling that is stored. */
function spelled({ expiry, ...wanted }: QueueSettings): QueueSettings {
  const unit =
    wanted.manualProcessingTimeUnit ?? (wanted.manualProcessingTime === undefined ? undefined : 'MINUTES');
  const settings = unit === undefined ? wanted : { ...wanted, manualProcessingTimeUnit: unit.toUpperCase() };
  if (!expiry || expiry.type?.toUpperCase() === 'NONE') return settings;
  const { type, durationUnit, date } = expiry;
  const instant = new Date(date ?? NaN);
  const spelling = {
    ...expiry,
    ...(type !== undefined && { type: type.toUpperCase() }),
    ...(durationUnit !== undefined && { durationUnit: durationUnit.toUpperCase() }),
    ...(!Number.isNaN(instant.getTime()) && { date: instant.toISOString() }),
  };
  return { ...settings, expiry: spelling };
}

function numberProblems(settings: QueueSettings): ErrorDetail[] {
  const { reactivationUnit, reactivationThreshold, manualProcessingTimeUnit: unit } = settings;
  const isBeyondAll = reactivationUnit === 'PERCENT' && reactivationThreshold > 100;
  const beyond = {
    field: 'reactivationThreshold',
    message: 'must be at most 100 with reactivationUnit PERCENT; COUNT takes more',
  };
  const isUnit = unit === undefined || timeUnits.includes(unit);
  const unknown = { field: 'manualProcessingTimeUnit', message: `must be one of ${timeUnits.join(', ')}` };
  return [...(isBeyondAll ? [beyond] : []), ...(isUnit ? [] : [unknown])];
}

function columnProblems({ displayColumns }: QueueSettings, { attributes }: Circumstances): ErrorDetail[] {
  return displayColumns.flatMap((column, index) => {
    const isKnown = attributes.some(({ name }) => name === column);
    const repeats = displayColumns.indexOf(column) < index;
    return referenceProblems('displayColumns', { named: column, isKnown, repeats }, attributes);
  });
}

function orderProblems({ workItemProcessingOrders: orders }: QueueSettings, { attributes }: Circumstances) {
  const named = orders.map((order) => orderOf(attributes, order)?.attribute);
  return orders.flatMap((order, index) => {
    const repeats = named.indexOf(named[index]) < index;
    return referenceProblems(
      'workItemProcessingOrders',
      { named: order, isKnown: named[index] !== undefined, repeats },
      attributes,
    );
  });
}

interface Reference {
  readonly named: string;
  readonly isKnown: boolean;
  readonly repeats: boolean;
}

function referenceProblems(
  field: string,
  { named, isKnown, repeats }: Reference,
  attributes: readonly Attribute[],
) {
  const attribute = JSON.stringify(named);
  const known = attributes.map(({ name }) => JSON.stringify(name)).join(', ');
  if (!isKnown)
    return [{ field, message: `names ${attribute}, but the attributes of the model are ${known}` }];
  return repeats ? [{ field, message: `names the attribute of ${attribute} twice` }] : [];
}

function expiryProblems(
  expiry: Schemas['QueueExpiry'] | undefined,
  current: Schemas['QueueExpiry'] | undefined,
  now: Date,
): ErrorDetail[] {
  if (!expiry) return [];
  const { type, duration, durationUnit, date } = expiry;
  if (type === 'DURATION') {
    const isUnit = durationUnit !== undefined && durationUnits.includes(durationUnit);
    return complain([
      ['expiry.duration', duration === undefined && 'is missing: type DURATION needs it'],
      ['expiry.durationUnit', !isUnit && `must be one of ${durationUnits.join(', ')}`],
      ['expiry.date', date !== undefined && 'goes with type DATE only'],
    ]);
  }
  if (type !== 'DATE') return complain([['expiry.type', 'must be DURATION, DATE or NONE']]);
  // A date that has come since it was set may be sent back together with other changes.
  const isPast = date !== current?.date && new Date(date ?? NaN) <= now;
  return complain([
    ['expiry.date', date === undefined && 'is missing: type DATE needs it'],
    ['expiry.date', isPast && 'has passed: every new item would expire at once'],
    ['expiry.duration', duration !== undefined && 'goes with type DURATION only'],
    ['expiry.durationUnit', durationUnit !== undefined && 'goes with type DURATION only'],
  ]);
}

function complain(checks: readonly [field: string, message: string | false][]): ErrorDetail[] {
  return checks.flatMap(([field, message]) => (message === false ? [] : [{ field, message }]));
}

const expiryUnitMs: Record<string, number> = { MINUTES: 60_000, HOURS: 3_600_000, DAYS: 86_400_000 };

/** When an item of the queue, created now, expires. */
export function expiryOf({ expiry }: Pick<QueueDefinition, 'expiry'>, now: Date): Date | undefined {
  if (!expiry) return undefined;
  if (expiry.type === 'DATE') return expiry.date ? new Date(expiry.date) : undefined;
  return new Date(now.getTime() + (expiry.duration ?? 0) * (expiryUnitMs[expiry.durationUnit ?? ''] ?? 0));
}
