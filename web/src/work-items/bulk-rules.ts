import { mayHappen, type Id, type Schemas, type TransitionName } from '@millrace/api';
import { instantOf } from '../page/time.tsx';
import { valueIn, type AttributeType } from './values.ts';

export const bulkActions = [
  'RESTART',
  'RELEASE',
  'DEFER',
  'CANCEL',
  'RESOLVE',
  'COMPLETE',
  'FAIL',
  'EDIT',
  'SET_PRIORITY',
  'MOVE',
  'DELETE',
] as const;
export type BulkAction = (typeof bulkActions)[number];

/** The transition of each action, in the table that the server reads. */
const transitionOf: Readonly<Record<BulkAction, TransitionName>> = {
  RESTART: 'restart',
  RELEASE: 'release',
  DEFER: 'defer',
  CANCEL: 'cancel',
  RESOLVE: 'resolveDone',
  COMPLETE: 'complete',
  FAIL: 'giveUp',
  EDIT: 'edit',
  SET_PRIORITY: 'edit',
  MOVE: 'move',
  DELETE: 'delete',
};
const whileInDoubt: ReadonlySet<BulkAction> = new Set(['RESOLVE', 'DELETE']);

/** The members of an item that decide which actions it allows. */
export const decisive = [
  'status',
  'failureKind',
  'notBefore',
  'pointOfNoReturnOn',
  'cancelRequestedOn',
] as const;
type Decisive = Pick<Schemas['WorkItem'], (typeof decisive)[number]>;

/** The actions that at least one of the items allows as it is. The server decides; this spares people its refusals. */
export function actionsOn(items: readonly Decisive[]): readonly BulkAction[] {
  return bulkActions.filter((action) => items.some((item) => allows(item, action)));
}

function allows({ status, ...facts }: Decisive, action: BulkAction): boolean {
  if (status === undefined) return true;
  if (facts.failureKind === 'IN_DOUBT' && !whileInDoubt.has(action)) return false;
  return mayHappen(transitionOf[action], { ...facts, status });
}

/** The input of an action, as typed. */
export interface Draft {
  readonly reason: string;
  /** With DEFER, as a field for a local time has it; empty for no end. */
  readonly until: string;
  /** With SET_PRIORITY. */
  readonly priority: string;
  /** With MOVE. */
  readonly queueId: Id | undefined;
  /** With RESOLVE. */
  readonly answer: 'DONE' | 'NOT_DONE' | 'PARTLY' | undefined;
  readonly note: string;
  /** With EDIT: the attributes to set; an empty text removes the value. */
  readonly edits: Readonly<Record<string, string>>;
}

export const emptyDraft: Draft = {
  reason: '',
  until: '',
  priority: '',
  queueId: undefined,
  answer: undefined,
  note: '',
  edits: {},
};

type Types = Readonly<Record<string, AttributeType | undefined>>;

/** The parts of the request that say what to do; undefined while something that is needed is missing or wrong. */
export type BulkStep = Omit<Schemas['BulkRequest'], 'ids' | 'filter' | 'dryRun' | 'batchId'>;

export function stepOf(action: BulkAction, draft: Draft, types: Types): BulkStep | undefined {
  const reason = draft.reason.trim() === '' ? {} : { reason: draft.reason.trim() };
  const members = membersOf(action, draft, types);
  return members && { action, ...members, ...reason };
}

function membersOf(action: BulkAction, draft: Draft, types: Types): Partial<BulkStep> | undefined {
  if (action === 'DEFER') return draft.until === '' ? {} : { deferredUntil: instantOf(draft.until) };
  if (action === 'SET_PRIORITY')
    return /^\d$/.test(draft.priority) ? { priority: Number(draft.priority) } : undefined;
  if (action === 'MOVE') return draft.queueId === undefined ? undefined : { queueId: draft.queueId };
  if (action === 'RESOLVE') return answerOf(draft);
  return action === 'EDIT' ? editsOf(draft.edits, types) : {};
}

function answerOf({ answer, note }: Draft): Partial<BulkStep> | undefined {
  if (answer === undefined || (answer === 'PARTLY' && note.trim() === '')) return undefined;
  return { answer, ...(note.trim() !== '' && { note: note.trim() }) };
}

function editsOf(edits: Draft['edits'], types: Types): Partial<BulkStep> | undefined {
  const values = Object.entries(edits).map(([name, text]) => [name, valueIn(types[name], text)] as const);
  if (values.length === 0 || values.some(([, value]) => value === undefined)) return undefined;
  return { json: Object.fromEntries(values) };
}

const withReason: ReadonlySet<BulkAction> = new Set(['FAIL', 'CANCEL', 'DELETE']);

/** Whether other people will want to read the reason. */
export function needsReason(action: BulkAction): boolean {
  return withReason.has(action);
}

const manyItems = 1000;

/** Whether the number has to be typed as a confirmation: for what cannot be undone, or for very many items. */
export function needsNumber(action: BulkAction, changed: number): boolean {
  return changed > 0 && (action === 'DELETE' || changed > manyItems);
}

/** Whether the input suffices to begin, once the trial has said how many items change. */
export function mayBegin(given: {
  readonly action: BulkAction;
  readonly changed: number;
  readonly reason: string;
  readonly typed: string;
}): boolean {
  const { action, changed, reason, typed } = given;
  if (changed === 0 || (needsReason(action) && reason.trim() === '')) return false;
  return !needsNumber(action, changed) || typed.trim() === String(changed);
}
