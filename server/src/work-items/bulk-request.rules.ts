import type { Id, Schemas } from '@millrace/api';
import { Refusal, type ErrorDetail } from '../errors.ts';
import { recordProblems, type JsonRecord } from '../models/record.ts';
import type { Attribute } from '../models/rules.ts';

type Body = Schemas['BulkRequest'];
type Answer = NonNullable<Body['answer']>;

/** What is to be done to each of many items, with what it needs for that. RENEW restarts what failed and releases what waits. */
export type BulkAction = { readonly reason?: string } & (
  | { readonly name: 'RELEASE' | 'RESTART' | 'RENEW' | 'COMPLETE' | 'FAIL' | 'CANCEL' | 'DELETE' }
  | { readonly name: 'DEFER'; readonly deferredUntil?: string }
  | { readonly name: 'EDIT'; readonly json: JsonRecord }
  | { readonly name: 'SET_PRIORITY'; readonly priority: number }
  | { readonly name: 'MOVE'; readonly queueId: Id }
  | { readonly name: 'RESOLVE'; readonly answer: Answer; readonly note?: string }
);

type Argument = 'deferredUntil' | 'json' | 'priority' | 'queueId' | 'answer' | 'note';

const names = ['deferredUntil', 'json', 'priority', 'queueId', 'answer', 'note'] as const;
const actionByStatus = { NEW: 'RENEW', DEFERRED: 'DEFER', COMPLETE: 'COMPLETE', FAILED: 'FAIL' } as const;
const needed: Readonly<Record<string, readonly Argument[]>> = {
  EDIT: ['json'],
  SET_PRIORITY: ['priority'],
  MOVE: ['queueId'],
  RESOLVE: ['answer'],
};
const accepted: Readonly<Record<string, readonly Argument[]>> = {
  ...needed,
  DEFER: ['deferredUntil'],
  RESOLVE: ['answer', 'note'],
};

/** The action that a request asks for. @throws Refusal that names each member that is missing or does not go with it. */
export function readAction(body: Body): BulkAction {
  const name = body.action ?? (body.status && actionByStatus[body.status]);
  const problems = [...choiceProblems(body), ...(name ? argumentProblems(name, body) : [])];
  if (problems.length > 0) {
    const sentences = problems.map(({ field, message }) => `${field} ${message}`).join('; ');
    throw new Refusal('INVALID_REQUEST', `This cannot be done: ${sentences}.`, { details: problems });
  }
  const { reason, deferredUntil, json, priority, queueId, answer, note } = body;
  return { name, reason, deferredUntil, json, priority, queueId, answer, note } as BulkAction;
}

function choiceProblems({ action, status, ids, filter }: Body): ErrorDetail[] {
  return [
    ...(action === undefined && status === undefined
      ? [{ field: 'action', message: 'is missing: say what to do, or give a status' }]
      : []),
    ...(action !== undefined && status !== undefined
      ? [{ field: 'status', message: 'goes without action: one of them says what to do' }]
      : []),
    ...(ids === undefined && filter === undefined
      ? [{ field: 'ids', message: 'is missing: say to which items, by ids or by a filter' }]
      : []),
    ...(ids !== undefined && filter !== undefined
      ? [{ field: 'filter', message: 'goes without ids: one of them says to which items' }]
      : []),
  ];
}

function argumentProblems(name: string, body: Body): ErrorDetail[] {
  const missing = (needed[name] ?? []).filter((argument) => body[argument] === undefined);
  const strange = names.filter(
    (argument) => body[argument] !== undefined && !accepted[name]?.includes(argument),
  );
  const isUnexplained = name === 'RESOLVE' && body.answer === 'PARTLY' && !body.note?.trim();
  return [
    ...missing.map((field) => ({ field, message: `is missing: ${name} needs it` })),
    ...strange.map((field) => ({ field, message: `does not go with ${name}` })),
    ...(isUnexplained ? [{ field: 'note', message: 'is missing: say what is left to do' }] : []),
  ];
}

/** Why an action makes no sense for any item of a queue whose model has these attributes. */
export function editProblem(action: BulkAction, attributes: readonly Attribute[]): Refusal | undefined {
  if (action.name !== 'EDIT') return undefined;
  // What an item needs besides is looked at item by item.
  const optional = attributes.map((attribute) => ({ ...attribute, isRequired: false }));
  const details = recordProblems(optional, action.json);
  const [first] = details;
  if (!first) return undefined;
  return new Refusal('INVALID_REQUEST', `json: ${first.field} ${first.message}. Nothing was changed.`, {
    details,
  });
}

/** An action as the timeline tells it. */
export function toldOf({ reason: _, name, ...given }: BulkAction): object {
  return { action: name, ...given };
}
