import type { Schemas } from '@millrace/api';
import { nameProblems, storedName } from '../engine/checks.ts';
import { Refusal, type ErrorDetail } from '../engine/errors.ts';
import type { Attribute } from '../engine/operation.ts';
import { orderOf } from '../records/record.ts';
import { dateFormatProblem } from '../records/date-format.rules.ts';
import { isMarked } from '../records/sensitive.rules.ts';
import { timeZoneProblem } from '../records/zone.rules.ts';

/** The settings by their names in the contract. */
const settingNames = [
  'name',
  'description',
  'status',
  'reactivationThreshold',
  'reactivationUnit',
  'manualProcessingTime',
  'manualProcessingTimeUnit',
  'disallowDuplicate',
  'uniqueBy',
  'duplicateScope',
  'autoRetryLimit',
  'lapseLimit',
  'retryBackOff',
  'intakeFormat',
  'workItemProcessingOrders',
  'displayColumns',
  'indexedColumns',
  'searchedAttributes',
  'expiry',
] as const;

type Setting = (typeof settingNames)[number];
type Optional =
  'manualProcessingTime' | 'manualProcessingTimeUnit' | 'expiry' | 'retryBackOff' | 'intakeFormat';

/** The settings of a queue that a person may change. */
export type QueueSettings = Required<Pick<Schemas['Queue'], Exclude<Setting, Optional>>> &
  Pick<Schemas['Queue'], Optional>;

/** The circumstances on which settings depend besides the request. */
interface Circumstances {
  /** The attributes of the queue's model. */
  readonly attributes: readonly Attribute[];
  readonly now: Date;
}

const maxDisplayColumns = 10;

/** The settings of a new queue. @throws Refusal INVALID_REQUEST that names each member that is wrong. */
export function newSettings(sent: Schemas['NewQueue'], circumstances: Circumstances): QueueSettings {
  const defaults = {
    description: '',
    status: 'ACTIVE' as const,
    reactivationUnit: 'PERCENT' as const,
    // From its first claim on, less than 100 % of a cycle waits, so no device idles while there is work; and a count of 1 starts a drained
    // queue with the first item.
    reactivationThreshold: sent.reactivationUnit === 'COUNT' ? 1 : 100,
    disallowDuplicate: false,
    uniqueBy: [],
    duplicateScope: 'ALL' as const,
    autoRetryLimit: 0,
    lapseLimit: 5,
    workItemProcessingOrders: [],
    displayColumns: circumstances.attributes.slice(0, maxDisplayColumns).map(({ name }) => name),
    indexedColumns: [],
    searchedAttributes: [],
  };
  return settle({ ...defaults, ...settingsIn(sent), name: sent.name }, undefined, circumstances);
}

/**
 * The settings of a queue after a change; omitted ones stay.
 * @throws Refusal INVALID_REQUEST that names each member that is wrong.
 */
export function changedSettings(
  current: QueueSettings,
  sent: Schemas['QueueUpdate'],
  circumstances: Circumstances,
): QueueSettings {
  return settle({ ...current, ...settingsIn(sent) }, current, circumstances);
}

/** Whether items are claimed in another order or found by other columns: the data that each carries for that have to be computed again. */
export function isReordered(before: QueueSettings, after: QueueSettings): boolean {
  return (
    !isSameList(before.workItemProcessingOrders, after.workItemProcessingOrders) ||
    !isSameList(before.indexedColumns, after.indexedColumns) ||
    !isSameList(before.searchedAttributes, after.searchedAttributes)
  );
}

function settingsIn(sent: Partial<Schemas['Queue']>): Partial<QueueSettings> {
  return Object.fromEntries(
    settingNames.flatMap((name) => (sent[name] === undefined ? [] : [[name, sent[name]]])),
  );
}

function settle(wanted: QueueSettings, current: QueueSettings | undefined, circumstances: Circumstances) {
  const settings = spelled(wanted, current?.name);
  const details = [
    ...nameProblems(settings.name, current?.name),
    ...numberProblems(settings),
    ...columnProblems(settings, circumstances),
    ...orderProblems(settings, circumstances),
    ...duplicateProblems(settings, current, circumstances),
    ...backOffProblems(settings.retryBackOff),
    ...formatProblems(settings.intakeFormat),
    ...expiryProblems(settings.expiry, current?.expiry, circumstances.now),
  ];
  if (details.length > 0) {
    const sentences = details.map(({ field, message }) => `${field} ${message}`).join('; ');
    throw new Refusal('INVALID_REQUEST', `These are no settings for a queue: ${sentences}.`, { details });
  }
  return settings;
}

/** The settings in their stored form. */
function spelled(
  { expiry, retryBackOff, intakeFormat, ...wanted }: QueueSettings,
  currentName?: string,
): QueueSettings {
  const unit =
    wanted.manualProcessingTimeUnit ?? (wanted.manualProcessingTime === undefined ? undefined : 'MINUTES');
  const spelledOut = {
    expiry: spelledExpiry(expiry),
    retryBackOff: spelledBackOff(retryBackOff),
  };
  return {
    ...wanted,
    name: wanted.name === currentName ? wanted.name : storedName(wanted.name),
    ...(unit !== undefined && { manualProcessingTimeUnit: unit.toUpperCase() }),
    ...(spelledOut.expiry && { expiry: spelledOut.expiry }),
    ...(spelledOut.retryBackOff && { retryBackOff: spelledOut.retryBackOff }),
    ...(intakeFormat && Object.keys(intakeFormat).length > 0 && { intakeFormat }),
  };
}

/** A member and its problem; false when it has none. */
type Check = readonly [field: string, message: string | false];

/** The problems found by the checks. */
function problemsIn(checks: readonly Check[]): ErrorDetail[] {
  return checks.flatMap(([field, message]) => (message === false ? [] : [{ field, message }]));
}

function columnProblems(
  { displayColumns, indexedColumns, searchedAttributes }: QueueSettings,
  { attributes }: Circumstances,
): ErrorDetail[] {
  return [
    ...nameListProblems('displayColumns', displayColumns, attributes),
    ...nameListProblems('indexedColumns', indexedColumns, attributes),
    ...nameListProblems('searchedAttributes', searchedAttributes, attributes),
    ...problemsIn(
      attributes.flatMap((attribute): Check[] =>
        indexedColumns.includes(attribute.name)
          ? [['indexedColumns', indexProblem(attribute, displayColumns)]]
          : [],
      ),
    ),
    ...problemsIn(
      attributes.map(({ name, ...attribute }): Check => [
        'searchedAttributes',
        searchedAttributes.includes(name) &&
          isMarked(attribute) &&
          `names ${JSON.stringify(name)}, whose values are encrypted and found as a whole only`,
      ]),
    ),
  ];
}

/** The reason why an attribute cannot have an index; false where it can. */
function indexProblem({ name, type }: Attribute, displayColumns: readonly string[]): string | false {
  const said = JSON.stringify(name);
  if (type === 'BOOLEAN')
    return `names ${said}, which is BOOLEAN: an index of two values finds nothing sooner`;
  const isShown = displayColumns.includes(name);
  return !isShown && `names ${said}, which is none of the displayColumns: lists know it by these only`;
}

/** Problems of a member that lists attributes, each of which it may name once. */
function nameListProblems(
  field: string,
  names: readonly string[],
  attributes: readonly Attribute[],
): ErrorDetail[] {
  return names.flatMap((named, index) => {
    const isKnown = attributes.some(({ name }) => name === named);
    const repeats = names.indexOf(named) < index;
    return referenceProblems(field, { named, isKnown, repeats }, attributes);
  });
}

/** Problems of the attributes that order the waiting items. */
function orderProblems({ workItemProcessingOrders: orders }: QueueSettings, { attributes }: Circumstances) {
  const named = orders.map((order) => orderOf(attributes, order)?.attribute);
  return orders.flatMap((order, index) => {
    const field = 'workItemProcessingOrders';
    const attribute = named[index];
    if (attribute && isMarked(attribute))
      return [
        {
          field,
          message: `names ${JSON.stringify(attribute.name)}, whose values are encrypted and order nothing`,
        },
      ];
    const repeats = named.indexOf(named[index]) < index;
    return referenceProblems(
      field,
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

/** Problems of the attributes that make two items duplicates. */
function duplicateProblems(
  { disallowDuplicate, uniqueBy }: QueueSettings,
  current: QueueSettings | undefined,
  { attributes }: Circumstances,
): ErrorDetail[] {
  // They stay when duplicates are allowed for a while; to set them alone would look like protection and be none.
  const isIdle = !disallowDuplicate && uniqueBy.length > 0 && !isSameList(uniqueBy, current?.uniqueBy);
  return [
    ...nameListProblems('uniqueBy', uniqueBy, attributes),
    ...problemsIn([['uniqueBy', isIdle && 'has no effect without disallowDuplicate: true']]),
  ];
}

/** Whether the items of the queue have to be compared again: there are no hashes, or they are of other attributes or items. */
export function comparesAnew(before: QueueSettings, after: QueueSettings): boolean {
  if (!after.disallowDuplicate) return false;
  return (
    !before.disallowDuplicate ||
    before.duplicateScope !== after.duplicateScope ||
    !isSameList(before.uniqueBy, after.uniqueBy)
  );
}

function isSameList(one: readonly string[], other: readonly string[] | undefined): boolean {
  return one.length === other?.length && one.every((name, index) => name === other[index]);
}

const timeUnits = ['SECONDS', 'MINUTES', 'HOURS', 'DAYS'];

/** Problems of the numbers among the settings, and of their units. */
function numberProblems(settings: QueueSettings): ErrorDetail[] {
  const { reactivationUnit, reactivationThreshold, manualProcessingTimeUnit: unit } = settings;
  const isBeyondAll = reactivationUnit === 'PERCENT' && reactivationThreshold > 100;
  const isUnit = unit === undefined || timeUnits.includes(unit);
  return problemsIn([
    [
      'reactivationThreshold',
      isBeyondAll && 'must be at most 100 with reactivationUnit PERCENT; COUNT takes more',
    ],
    ['manualProcessingTimeUnit', !isUnit && `must be one of ${timeUnits.join(', ')}`],
  ]);
}

const durationUnits = ['MINUTES', 'HOURS', 'DAYS'];

type Expiry = Schemas['QueueExpiry'];

/** The expiry in its stored form; undefined for the type NONE. */
function spelledExpiry(expiry: Expiry | undefined): Expiry | undefined {
  if (!expiry || expiry.type?.toUpperCase() === 'NONE') return undefined;
  const { type, durationUnit, date } = expiry;
  const instant = new Date(date ?? NaN);
  return {
    ...expiry,
    ...(type !== undefined && { type: type.toUpperCase() }),
    ...(durationUnit !== undefined && { durationUnit: durationUnit.toUpperCase() }),
    ...(!Number.isNaN(instant.getTime()) && { date: instant.toISOString() }),
  };
}

/** Problems of an expiry in that form. */
function expiryProblems(expiry: Expiry | undefined, current: Expiry | undefined, now: Date): ErrorDetail[] {
  if (!expiry) return [];
  const { type, duration, durationUnit, date } = expiry;
  if (type === 'DURATION') {
    const isUnit = durationUnit !== undefined && durationUnits.includes(durationUnit);
    return problemsIn([
      ['expiry.duration', duration === undefined && 'is missing: type DURATION needs it'],
      ['expiry.durationUnit', !isUnit && `must be one of ${durationUnits.join(', ')}`],
      ['expiry.date', date !== undefined && 'goes with type DATE only'],
    ]);
  }
  if (type !== 'DATE') return problemsIn([['expiry.type', 'must be DURATION, DATE or NONE']]);
  // A date that has passed since it was set may be sent back together with other changes.
  const isPast = date !== current?.date && new Date(date ?? NaN) <= now;
  return problemsIn([
    ['expiry.date', date === undefined && 'is missing: type DATE needs it'],
    ['expiry.date', isPast && 'has passed: every new item would expire at once'],
    ['expiry.duration', duration !== undefined && 'goes with type DURATION only'],
    ['expiry.durationUnit', durationUnit !== undefined && 'goes with type DURATION only'],
  ]);
}

type BackOff = Schemas['RetryBackOff'];

/** The back-off in its stored form; undefined for the type NONE. */
function spelledBackOff(backOff: BackOff | undefined): BackOff | undefined {
  if (!backOff || backOff.type?.toUpperCase() === 'NONE') return undefined;
  return { ...backOff, ...(backOff.type !== undefined && { type: backOff.type.toUpperCase() }) };
}

/** Problems of a back-off in that form. */
function backOffProblems(backOff: BackOff | undefined): ErrorDetail[] {
  if (!backOff) return [];
  const { type = '', seconds, maxSeconds } = backOff;
  const isLess = seconds !== undefined && maxSeconds !== undefined && maxSeconds < seconds;
  return problemsIn([
    ['retryBackOff.type', !['FIXED', 'EXPONENTIAL'].includes(type) && 'must be FIXED, EXPONENTIAL or NONE'],
    ['retryBackOff.seconds', seconds === undefined && 'is missing: every type but NONE needs it'],
    [
      'retryBackOff.maxSeconds',
      type === 'FIXED' && maxSeconds !== undefined && 'goes with type EXPONENTIAL only',
    ],
    ['retryBackOff.maxSeconds', type === 'EXPONENTIAL' && isLess && 'must not be less than seconds'],
  ]);
}

/** Problems of the formats in files. */
function formatProblems({ dateFormat, timeZone }: Schemas['IntakeFormat'] = {}): ErrorDetail[] {
  return problemsIn([
    ['intakeFormat.dateFormat', (dateFormat !== undefined && dateFormatProblem(dateFormat)) ?? false],
    ['intakeFormat.timeZone', (timeZone !== undefined && timeZoneProblem(timeZone)) ?? false],
  ]);
}
