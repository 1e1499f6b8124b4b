import { stringifyJson, type Schemas } from '@millrace/api';
import type { Draft as Attribute } from '../models/rules.ts';

type Queue = Schemas['Queue'];
type Update = Omit<Schemas['QueueUpdate'], 'version'>;

/** An existing model, or one to make. */
export interface ChosenModel {
  /** Of an existing one. */
  readonly id?: string;
  readonly name: string;
  readonly drafts: readonly Attribute[];
}

/** The settings of a queue in a form: numbers as they are typed, empty where they are left to the server. */
export interface Draft {
  readonly name: string;
  readonly description: string;
  readonly orders: readonly string[];
  readonly columns: readonly string[];
  readonly disallowDuplicate: boolean;
  readonly uniqueBy: readonly string[];
  readonly duplicateScope: 'ALL' | 'OPEN';
  readonly retries: string;
  readonly lapses: string;
  readonly backOff: 'NONE' | 'FIXED' | 'EXPONENTIAL';
  readonly backOffSeconds: string;
  readonly backOffMost: string;
  readonly jitter: string;
  readonly expiry: 'NONE' | 'DURATION' | 'DATE';
  readonly expiryDuration: string;
  readonly expiryUnit: 'MINUTES' | 'HOURS' | 'DAYS';
  readonly expiryDate: string;
  readonly dateFormat: string;
  readonly decimalSign: 'NONE' | 'POINT' | 'COMMA';
  readonly timeZone: string;
  readonly threshold: string;
  readonly thresholdUnit: 'PERCENT' | 'COUNT';
  readonly manual: string;
  readonly manualUnit: 'SECONDS' | 'MINUTES' | 'HOURS' | 'DAYS';
}

const text = (value: number | undefined): string => (value === undefined ? '' : String(value));

/** The defaults of a queue. Those of numbers are left to the server. */
const usual = {
  name: '',
  description: '',
  workItemProcessingOrders: [],
  displayColumns: [],
  uniqueBy: [],
  disallowDuplicate: false,
  duplicateScope: 'ALL',
  reactivationUnit: 'PERCENT',
  manualProcessingTimeUnit: 'MINUTES',
} as const;
const usualBackOff = { type: 'NONE', seconds: 30 } as const;
const usualFormat = { dateFormat: '', decimalSign: 'NONE', timeZone: '' } as const;
const usualExpiry = { type: 'NONE', duration: 7, durationUnit: 'DAYS', date: '' } as const;

/** The settings of a queue; without one, those of a new queue. */
export function draftOf(queue: Queue = {}): Draft {
  const given = { ...usual, ...queue };
  const backOff = { ...usualBackOff, ...queue.retryBackOff };
  const expiry = { ...usualExpiry, ...queue.expiry };
  return {
    name: given.name,
    description: given.description,
    orders: given.workItemProcessingOrders,
    columns: given.displayColumns,
    disallowDuplicate: given.disallowDuplicate,
    uniqueBy: given.uniqueBy,
    duplicateScope: given.duplicateScope,
    retries: text(queue.autoRetryLimit),
    lapses: text(queue.lapseLimit),
    backOff: backOff.type as Draft['backOff'],
    backOffSeconds: text(backOff.seconds),
    backOffMost: text(queue.retryBackOff?.maxSeconds),
    jitter: text(queue.retryBackOff?.jitterPercent),
    expiry: expiry.type as Draft['expiry'],
    expiryDuration: text(expiry.duration),
    expiryUnit: expiry.durationUnit as Draft['expiryUnit'],
    expiryDate: expiry.date,
    ...usualFormat,
    ...queue.intakeFormat,
    threshold: text(queue.reactivationThreshold),
    thresholdUnit: given.reactivationUnit,
    manual: text(queue.manualProcessingTime),
    manualUnit: given.manualProcessingTimeUnit as Draft['manualUnit'],
  };
}

const numberIn = <Name extends string>(name: Name, typed: string) =>
  (typed.trim() === '' ? {} : { [name]: Number(typed) }) as { [N in Name]?: number };

/** The settings as the contract has them. */
export function settingsOf(draft: Draft): Update {
  return {
    name: draft.name.trim(),
    description: draft.description,
    workItemProcessingOrders: draft.orders.filter((one) => one !== ''),
    ...(draft.columns.length > 0 && { displayColumns: [...draft.columns] }),
    disallowDuplicate: draft.disallowDuplicate,
    uniqueBy: [...draft.uniqueBy],
    duplicateScope: draft.duplicateScope,
    ...numberIn('autoRetryLimit', draft.retries),
    ...numberIn('lapseLimit', draft.lapses),
    retryBackOff: backOffOf(draft),
    expiry: expiryOf(draft),
    intakeFormat: intakeFormatOf(draft),
    ...numberIn('reactivationThreshold', draft.threshold),
    reactivationUnit: draft.thresholdUnit,
    ...numberIn('manualProcessingTime', draft.manual),
    ...(draft.manual.trim() !== '' && { manualProcessingTimeUnit: draft.manualUnit }),
  };
}

function backOffOf(draft: Draft): NonNullable<Update['retryBackOff']> {
  if (draft.backOff === 'NONE') return { type: 'NONE' };
  return {
    type: draft.backOff,
    ...numberIn('seconds', draft.backOffSeconds),
    ...(draft.backOff === 'EXPONENTIAL' && numberIn('maxSeconds', draft.backOffMost)),
    ...numberIn('jitterPercent', draft.jitter),
  };
}

function expiryOf(draft: Draft): NonNullable<Update['expiry']> {
  if (draft.expiry === 'NONE') return { type: 'NONE' };
  if (draft.expiry === 'DATE') return { type: 'DATE', date: draft.expiryDate };
  return { type: 'DURATION', ...numberIn('duration', draft.expiryDuration), durationUnit: draft.expiryUnit };
}

function intakeFormatOf({ dateFormat, decimalSign, timeZone }: Draft): NonNullable<Update['intakeFormat']> {
  return {
    ...(dateFormat.trim() && { dateFormat: dateFormat.trim() }),
    ...(decimalSign !== 'NONE' && { decimalSign }),
    ...(timeZone.trim() && { timeZone: timeZone.trim() }),
  };
}

/** A setting that a draft changes. */
export interface Changed {
  readonly member: keyof Update;
  readonly before: unknown;
  readonly after: unknown;
}

/** The changes of a draft to a queue. */
export function changesIn(queue: Queue, draft: Draft): Changed[] {
  const [before, after] = [settingsOf(draftOf(queue)), settingsOf(draft)];
  const members = Object.keys({ ...before, ...after }) as (keyof Update)[];
  return members
    .map((member) => ({ member, before: before[member], after: after[member] }))
    .filter((one) => stringifyJson(one.before ?? null) !== stringifyJson(one.after ?? null));
}

/** The settings that a draft leaves empty and a queue always has: left out of a change, they would keep their values. */
export function emptiedIn(queue: Queue, draft: Draft): Changed['member'][] {
  const emptied = changesIn(queue, draft).filter(({ after }) => after === undefined);
  return emptied.map(({ member }) => member).filter((member) => member !== 'manualProcessingTimeUnit');
}

/** The waits before each further try, in seconds: the back-off without its random part. */
export function waitsOf({ backOff, backOffSeconds, backOffMost, retries }: Draft): number[] {
  if (backOff === 'NONE') return [];
  const first = Number(backOffSeconds) || 0;
  const most = Number(backOffMost) || 86_400;
  const tries = Array.from({ length: Math.min(Number(retries) || 0, 10) }, (_, index) => index);
  return tries.map((index) => (backOff === 'FIXED' ? first : Math.min(first * 2 ** index, most)));
}
