import type { Id, Schemas } from '@millrace/api';
import { nameProblems, storedName } from '../../engine/checks.ts';
import { raw, sql, type Sql } from '../../engine/db.ts';
import { Refusal, refuseStale, registerConstraints } from '../../engine/errors.ts';
import { listQuery, pageOf } from '../../engine/lists/lists.ts';
import type { Field } from '../../engine/lists/values.ts';
import type { Actor, Capability, Context, PlainOperation } from '../../engine/operation.ts';
import { refuseExcess, refuseLookalike, type Kind } from '../../engine/quotas.ts';
import { changedMembers, recordOfQueue } from '../../journal/journal.ts';
import { membershipsIn, seenBy, withMemberships } from '../members/membership.ts';
import { capabilitiesOf } from '../members/rules.ts';
import { invalid } from '../users/rules.ts';

export const createView: PlainOperation<'createView'> = async (context, { body }) => {
  const settings = newView(body);
  const place = { page: body.page, queueId: body.queueId };
  const can = await capabilitiesIn(context, place.queueId);
  if (place.queueId !== undefined && !can.has('view')) throw unknownQueue(place.queueId);
  if (place.queueId === undefined && context.actor.queueIds) throw beyondKey();
  const refusal = refusalOf({ own: true, shared: false }, settings, can);
  if (refusal) throw refusal;
  const id = await insertView(context, place, settings);
  await refuseBesideOthers(context, place, settings);
  await record(context, 'createView', { ...place, id, ...settings });
  return readView(context, id);
};

export const getView: PlainOperation<'getView'> = async (context, { path }) => readView(context, path.id);

export const listViews: PlainOperation<'listViews'> = async (context, { body }) => {
  const { db, actor } = context;
  const query = listQuery(body, viewFields(actor.id), raw('v.id'));
  const page = await pageOf(db, query, viewsFor(actor));
  const list = await db.rows<SeenView>(sql`
    select ${viewColumns(actor.id)} from ${viewsFor(actor)} and ${query.where}
    order by ${query.orderBy} limit ${query.limit} offset ${query.offset}`);
  return { page, list: await withRights(context, list) };
};

export const updateView: PlainOperation<'updateView'> = async (context, { path, body }) => {
  const { db } = context;
  await db.rows(sql`select from views where id = ${path.id} for no key update`);
  const current = await findView(context, path.id);
  const wanted = changedView(current, body);
  const refusal = refusalOf(current, wanted, await capabilitiesIn(context, current.queueId));
  if (refusal) throw refusal;
  refuseStale('view', current, body);
  await saveView(context, current.id, wanted);
  if (wanted.shared !== current.shared || wanted.name !== current.name)
    await refuseBesideOthers(context, current, wanted);
  // A filter may contain somebody's name, and events stay: the event has the changed members, and not their values.
  const changed = Object.keys(changedMembers(current, wanted));
  const isSeen = current.shared || wanted.shared;
  await record(context, 'updateView', { ...current, ...wanted, shared: isSeen }, { changed });
  return readView(context, current.id);
};

export const deleteView: PlainOperation<'deleteView'> = async (context, { path }) => {
  const { db } = context;
  await db.rows(sql`select from views where id = ${path.id} for update`);
  const view = await findView(context, path.id);
  if (!mayChange(view, await capabilitiesIn(context, view.queueId)))
    throw new Refusal(
      'FORBIDDEN',
      'Only its creator and the owners of its queue delete a view that is shared.',
    );
  await db.rows(sql`delete from views where id = ${view.id}`);
  await record(context, 'deleteView', view);
};

/** The page and the queue of a view. */
interface Place {
  readonly page: SeenView['page'];
  readonly queueId?: Id | undefined;
}

/** The caller's capabilities in a queue; none where a view belongs to no queue, or the token is not good for queues. */
async function capabilitiesIn(context: Context, queueId: Id | undefined): Promise<ReadonlySet<Capability>> {
  if (queueId === undefined || !context.actor.permissions.has('useQueues')) return new Set();
  return capabilitiesOf(await membershipsIn(context, queueId));
}

function unknownQueue(id: Id): Refusal {
  return new Refusal('NOT_FOUND', `There is no queue ${id}, or you do not belong to it.`);
}

function beyondKey(): Refusal {
  return new Refusal(
    'FORBIDDEN',
    'This API key is good for some queues alone, and this view is of none. Name one of them in queueId, or use another key.',
  );
}

async function readView(context: Context, id: Id): Promise<Schemas['View']> {
  const [view] = await withRights(context, [await findView(context, id)]);
  return view as Schemas['View'];
}

async function findView({ db, actor }: Context, id: Id): Promise<SeenView> {
  const view = await db.row<SeenView>(
    sql`select ${viewColumns(actor.id)} from ${viewsFor(actor)} and v.id = ${id}`,
  );
  if (view) return view;
  throw new Refusal(
    'NOT_FOUND',
    `There is no view ${id} that you may use. POST /v4/wlm/views/list lists those that you may.`,
  );
}

async function withRights(context: Context, views: readonly SeenView[]): Promise<Schemas['View'][]> {
  const ids = [...new Set(views.flatMap(({ queueId }) => queueId ?? []))];
  const queues = await withMemberships(
    context,
    ids.map((id) => ({ id })),
  );
  const rights = new Map(queues.map(({ id, capabilities }) => [id, new Set(capabilities)]));
  return views.map((view) => ({
    ...view,
    mayChange: mayChange(view, rights.get(view.queueId ?? 0) ?? new Set()),
  }));
}

/** The views `v` that a caller may use, with the queues `q` and creators `u`, as SQL that ends in a condition. */
function viewsFor(actor: Actor): Sql {
  const seesQueue = actor.permissions.has('useQueues') ? sql`(${seenBy(actor)})` : sql`false`;
  // A key for some queues opens nothing of its user that is of no queue.
  const ofNone = actor.queueIds ? sql`false` : sql`v.queue_id is null`;
  return sql`views v join users u on u.id = v.user_id left join queues q on q.id = v.queue_id
    where v.tenant_id = ${actor.tenantId} and (v.user_id = ${actor.id} or v.shared)
      and (${ofNone} or ${seesQueue})`;
}

function viewColumns(userId: Id): Sql {
  return sql`v.id, v.name, v.page, v.queue_id as "queueId", q.name as "queueName", v.query, v.columns, v.sort, v.shared,
    ${isOwn(userId)} as own, v.user_id as "createdBy", u.username as "createdByName", v.created_on as "createdOn",
    v.updated_by as "updatedBy", v.updated_on as "updatedOn", v.version`;
}

const isOwn = (userId: Id) => sql`(v.user_id = ${userId})`;

/** The fields by which views can be filtered and sorted. */
const viewFields = (userId: Id): Record<string, Field> => ({
  id: { column: raw('v.id'), type: 'id' },
  name: { column: raw('v.name'), type: 'text' },
  page: { column: raw('v.page'), type: ['ITEMS', 'QUEUES', 'DEVICES', 'EVENTS'] },
  queueId: { column: raw('v.queue_id'), type: 'id' },
  shared: { column: raw('v.shared'), type: 'boolean' },
  own: { column: isOwn(userId), type: 'boolean' },
  createdOn: { column: raw('v.created_on'), type: 'time' },
  updatedOn: { column: raw('v.updated_on'), type: 'time' },
});

registerConstraints({
  views_own_name: {
    code: 'NAME_TAKEN',
    message: 'You have a view of this name there already. Choose another name.',
  },
  views_shared_name: {
    code: 'NAME_TAKEN',
    message: 'The queue has a shared view of this name already. Choose another name.',
  },
  views_queue_id_fkey: { code: 'NOT_FOUND', message: 'The queue was deleted at this moment.' },
});

/** Refuses a view that was just stored when there are too many beside it, or when people take its name for that of another. */
async function refuseBesideOthers(
  { db, actor }: Context,
  { page, queueId }: Place,
  { name, shared }: ViewSettings,
): Promise<void> {
  const ofUser = sql`views where user_id = ${actor.id} and not shared and queue_id is not distinct from ${queueId ?? null}::bigint`;
  const kind: Kind = shared
    ? {
        ...few,
        things: 'shared views of this queue',
        rows: sql`views where shared and queue_id = ${queueId}`,
      }
    : { ...few, things: 'views of your own there', rows: ofUser };
  await refuseExcess(db, kind);
  await refuseLookalike(db, sql`${kind.rows} and page = ${page}`, raw('name'), name);
}

const few = { quota: 100, wayOut: 'Delete those that nobody needs first.' };

/** Records a change of a view that others see. */
async function record(
  context: Context,
  operation: string,
  { id, name, queueId, shared }: Pick<SeenView, 'id' | 'name' | 'shared'> & Pick<Place, 'queueId'>,
  more: object = {},
): Promise<void> {
  if (!shared || queueId === undefined) return;
  await recordOfQueue(context, queueId, { operation, changes: { viewId: id, name, ...more } });
}

async function insertView(
  { db, actor, now }: Context,
  { page, queueId }: Place,
  { name, query, columns, sort, shared }: ViewSettings,
): Promise<Id> {
  const [row] = await db.rows<{ id: Id }>(sql`
    insert into views (tenant_id, user_id, page, queue_id, name, query, columns, sort, shared, created_on, updated_by, updated_on)
    values (${actor.tenantId}, ${actor.id}, ${page}, ${queueId ?? null}, ${name}, ${query}, ${columns}, ${sort}, ${shared},
      ${now}, ${actor.id}, ${now})
    returning id`);
  return (row as { id: Id }).id;
}

async function saveView({ db, actor, now }: Context, id: Id, settings: ViewSettings): Promise<void> {
  const { name, query, columns, sort, shared } = settings;
  await db.rows(sql`
    update views set name = ${name}, query = ${query}, columns = ${columns}, sort = ${sort}, shared = ${shared},
      updated_by = ${actor.id}, updated_on = ${now}, version = version + 1
    where id = ${id}`);
}

/** The changeable members of a view. */
type ViewSettings = Pick<Schemas['View'], 'name' | 'query' | 'columns' | 'sort' | 'shared'>;

/** A view and its caller's relation to it. */
type SeenView = Omit<Schemas['View'], 'mayChange'>;

/** The settings of a view to be made. @throws Refusal INVALID_REQUEST */
function newView(body: Schemas['NewView']): ViewSettings {
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
function changedView(current: SeenView, body: Schemas['ViewUpdate']): ViewSettings {
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
function mayChange({ own, shared }: Pick<SeenView, 'own' | 'shared'>, can: ReadonlySet<Capability>): boolean {
  return own || (shared && can.has('edit'));
}

/** The reason why a view may not be changed as wanted. Shared views are for users who may repair the queue to change. */
function refusalOf(
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
