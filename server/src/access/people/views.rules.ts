import type { Schemas } from '@millrace/api';
import { nameProblems, storedName } from '../../engine/checks.ts';
import { Refusal } from '../../engine/errors.ts';
import type { Capability } from '../../engine/operation.ts';
import { invalid } from '../users/rules.ts';

/** The changeable members of a view. */
export type ViewSettings = Pick<Schemas['View'], 'name' | 'query' | 'columns' | 'sort' | 'shared'>;

/** A view and its caller's relation to it. */
export type SeenView = Omit<Schemas['View'], 'mayChange'>;

/** The settings of a view to be made. @throws Refusal INVALID_REQUEST */
export function newView(body: Schemas['NewView']): ViewSettings {
  const { page, queueId, query = '', columns = [], sort = '', shared = false } = body;
  const details = [
    ...nameProblems(body.name),
    ...(page === 'ITEMS' && queueId === undefined
      ? [{ field: 'queueId', message: 'is missing: the queue whose items the view is of' }]
      : []),
    ...(page !== 'ITEMS' && queueId !== undefined
      ? [{ field: 'queueId', message: `belongs to views of ITEMS, not of ${page}` }]
      : []),
    ...(shared && queueId === undefined
      ? [
          {
            field: 'shared',
            message: 'must be false for views of no queue: there is nobody to share them with',
          },
        ]
      : []),
  ];
  if (details.length > 0) throw invalid(details);
  return { name: storedName(body.name), query, columns, sort, shared };
}

/** The settings of a view after a change. @throws Refusal INVALID_REQUEST */
export function changedView(current: SeenView, body: Schemas['ViewUpdate']): ViewSettings {
  const { name, query, columns, sort, shared } = { ...current, ...body };
  const details = [
    ...nameProblems(storedName(name), current.name),
    ...(shared && current.queueId === undefined
      ? [
          {
            field: 'shared',
            message: 'must be false for views of no queue: there is nobody to share them with',
          },
        ]
      : []),
  ];
  if (details.length > 0) throw invalid(details);
  return { name: storedName(name), query, columns, sort, shared };
}

/** Whether a view may be changed or deleted by a user who sees it. @param can the capabilities of the user in its queue */
export function mayChange(
  { own, shared }: Pick<SeenView, 'own' | 'shared'>,
  can: ReadonlySet<Capability>,
): boolean {
  return own || (shared && can.has('edit'));
}

/** The reason why a view may not be changed as wanted. Shared views are for users who may repair the queue to change. */
export function refusalOf(
  current: Pick<SeenView, 'own' | 'shared'>,
  wanted: Pick<ViewSettings, 'shared'>,
  can: ReadonlySet<Capability>,
): Refusal | undefined {
  if (!mayChange(current, can))
    return new Refusal(
      'FORBIDDEN',
      'Only its creator and the owners of its queue change a view that is shared. Save one of your own.',
    );
  if (!wanted.shared && !current.own)
    return new Refusal(
      'FORBIDDEN',
      'Only its creator can have this view alone again. Delete it, if nobody needs it.',
    );
  if (wanted.shared && !can.has('repair'))
    return new Refusal(
      'FORBIDDEN',
      'What all who see the queue shall use, its owners and members save. Keep the view to yourself, or ask an owner of the queue.',
    );
  return undefined;
}
