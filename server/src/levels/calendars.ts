import { stringifyJson, type Id, type Schemas } from '@millrace/api';
import { nameProblems, storedName } from '../engine/checks.ts';
import { raw, sql, type Db } from '../engine/db.ts';
import { Refusal, refuseStale, registerConstraints, type ErrorDetail } from '../engine/errors.ts';
import { listQuery, pageOf } from '../engine/lists/lists.ts';
import type { Field } from '../engine/lists/values.ts';
import { authorOf, type Actor, type Author, type Context, type PlainOperation } from '../engine/operation.ts';
import { refuseExcess, refuseLookalike, type Kind } from '../engine/quotas.ts';
import { changedMembers, recordOfTenant } from '../journal/journal.ts';
import { timeZoneProblem } from '../records/zone.rules.ts';
import { refuseEndless } from './level.rules.ts';
import type { Calendar } from './timetable.rules.ts';

export const createCalendar: PlainOperation<'createCalendar'> = async (context, { body }) => {
  const { db, actor } = context;
  const settings = newCalendar(body);
  const id = await insertCalendar(db, actor.tenantId, settings, authorOf(context));
  await refuseExcess(db, calendarsOfTenant(actor.tenantId));
  await refuseNamesake(context, settings.name);
  await recordOfTenant(context, { operation: 'createCalendar', changes: { calendarId: id, ...settings } });
  return readCalendar(context, id);
};

export const getCalendar: PlainOperation<'getCalendar'> = (context, { path }) =>
  readCalendar(context, path.id);

export const listCalendars: PlainOperation<'listCalendars'> = async ({ db, actor }, { body }) => {
  const query = listQuery(body, calendarFields, raw('c.id'));
  const rows = sql`calendars c where c.tenant_id = ${actor.tenantId}`;
  const page = await pageOf(db, query, rows);
  const list = await db.rows<Schemas['Calendar']>(sql`
    select ${calendarColumns} from ${rows} and ${query.where} order by ${query.orderBy} limit ${query.limit} offset ${query.offset}`);
  return { page, list: list.map((calendar) => withCapabilities(actor, calendar)) };
};

export const updateCalendar: PlainOperation<'updateCalendar'> = async (context, { path, body }) => {
  const { db } = context;
  const stored = await holdCalendar(context, path.id);
  const settings = changedCalendar(stored, body);
  await refuseBreakingPromises(context, path.id, settings);
  await saveCalendar(db, path.id, settings, authorOf(context));
  if (settings.name !== stored.name) await refuseNamesake(context, settings.name);
  await lookAnew(db, path.id);
  const changes = { calendarId: path.id, ...changedMembers(stored, settings) };
  await recordOfTenant(context, { operation: 'updateCalendar', changes });
  return readCalendar(context, path.id);
};

export const deleteCalendar: PlainOperation<'deleteCalendar'> = async (context, { path }) => {
  const { db } = context;
  const { name } = await holdCalendar(context, path.id);
  await deleteRow(db, path.id);
  await recordOfTenant(context, { operation: 'deleteCalendar', changes: { calendarId: path.id, name } });
};

const calendarsOfTenant = (tenantId: Id): Kind => ({
  things: 'calendars in this tenant',
  rows: sql`calendars where tenant_id = ${tenantId}`,
  quota: 1000,
  wayOut: 'Delete those that nobody needs first.',
});

function refuseNamesake({ db, actor }: Context, name: string): Promise<void> {
  return refuseLookalike(db, calendarsOfTenant(actor.tenantId).rows, raw('name'), name);
}

const calendarFields: Record<string, Field> = {
  id: { column: raw('c.id'), type: 'id' },
  name: { column: raw('c.name'), type: 'text' },
  timeZone: { column: raw('c.time_zone'), type: 'text' },
  createdOn: { column: raw('c.created_on'), type: 'time' },
  updatedOn: { column: raw('c.updated_on'), type: 'time' },
};

registerConstraints({
  calendars_name_unique: {
    code: 'NAME_TAKEN',
    message: 'A calendar of this name exists already. Choose another name.',
  },
  queue_levels_calendar_id_fkey: {
    code: 'IN_USE',
    message:
      'Service levels of queues count in this calendar, or it was deleted at this moment. POST /v4/wlm/queues/levels/list with a filter ' +
      'on calendarId lists those that you may see: give them another calendar first.',
  },
});

async function readCalendar(context: Pick<Context, 'db' | 'actor'>, id: Id): Promise<Schemas['Calendar']> {
  const calendar = await selectCalendar(context, id);
  if (calendar) return withCapabilities(context.actor, calendar);
  throw new Refusal(
    'NOT_FOUND',
    `There is no calendar ${id}. POST /v4/wlm/calendars/list lists those that there are.`,
  );
}

/**
 * A calendar to be changed, locked. A change affects all queues that use it: it is allowed to its creator and to queue admins.
 * @throws Refusal
 */
async function holdCalendar(context: Context, id: Id): Promise<Schemas['Calendar']> {
  const { db, actor } = context;
  await db.rows(sql`select from calendars where id = ${id} and tenant_id = ${actor.tenantId} for update`);
  const calendar = await readCalendar(context, id);
  if (isTrusted(actor, calendar)) return calendar;
  throw new Refusal('FORBIDDEN', `Calendar ${id} was created by somebody else. Ask a queue admin.`);
}

const isTrusted = ({ id, permissions }: Actor, { createdBy }: Schemas['Calendar']) =>
  createdBy === id || permissions.has('manageAllQueues');

/** A calendar with what the caller may do with it. */
function withCapabilities(actor: Actor, calendar: Schemas['Calendar']): Schemas['Calendar'] {
  const mayEdit = actor.permissions.has('createQueues') && isTrusted(actor, calendar);
  return { ...calendar, capabilities: mayEdit ? ['view', 'edit'] : ['view'] };
}

function selectCalendar(
  { db, actor }: Pick<Context, 'db' | 'actor'>,
  id: Id,
): Promise<Schemas['Calendar'] | undefined> {
  return db.row(sql`
    select ${calendarColumns} from calendars c where c.id = ${id} and c.tenant_id = ${actor.tenantId}`);
}

const calendarColumns =
  raw(`c.id, c.name, c.time_zone as "timeZone", c.hours, c.holidays, c.created_by as "createdBy",
  c.created_on as "createdOn", c.updated_by as "updatedBy", c.updated_on as "updatedOn", c.version`);

async function insertCalendar(
  db: Db,
  tenantId: Id,
  settings: CalendarSettings,
  { actorId, now }: Author,
): Promise<Id> {
  const { name, timeZone, hours, holidays } = settings;
  const [row] = await db.rows<{ id: Id }>(sql`
    insert into calendars (tenant_id, name, time_zone, hours, holidays, created_by, created_on, updated_by, updated_on)
    values (${tenantId}, ${name}, ${timeZone}, ${stringifyJson(hours)}::json, ${stringifyJson(holidays)}::json, ${actorId}, ${now},
      ${actorId}, ${now})
    returning id`);
  return (row as { id: Id }).id;
}

async function saveCalendar(
  db: Db,
  id: Id,
  settings: CalendarSettings,
  { actorId, now }: Author,
): Promise<void> {
  const { name, timeZone, hours, holidays } = settings;
  await db.rows(sql`
    update calendars set name = ${name}, time_zone = ${timeZone}, hours = ${stringifyJson(hours)}::json,
      holidays = ${stringifyJson(holidays)}::json, version = version + 1, updated_by = ${actorId}, updated_on = ${now}
    where id = ${id}`);
}

/** Refuses a change after which a promise in the calendar would never end. @throws Refusal */
async function refuseBreakingPromises({ db, now }: Context, id: Id, settings: CalendarSettings) {
  const row = await db.row<{ longest?: number }>(sql`
    select max(longest_wait_minutes) as longest from queue_levels where calendar_id = ${id}`);
  if (row?.longest !== undefined) refuseEndless({ longestWaitMinutes: row.longest }, settings, now);
}

/** Has the service levels that use the calendar checked again at once. */
async function lookAnew(db: Db, id: Id): Promise<void> {
  await db.rows(sql`update queue_levels set looked_on = null where calendar_id = ${id}`);
}

async function deleteRow(db: Db, id: Id): Promise<void> {
  await db.rows(sql`delete from calendars where id = ${id}`);
}

/** The settings of a calendar that a person may change. */
type CalendarSettings = Calendar & { readonly name: string };

/** @throws Refusal that names all problems */
export function newCalendar(wanted: Schemas['NewCalendar']): CalendarSettings {
  const { name, timeZone, hours, holidays = [] } = wanted;
  return checked({ name: storedName(name), timeZone, hours, holidays }, undefined);
}

/** @throws Refusal when the calendar is at another version, or the request is wrong */
export function changedCalendar(
  stored: Schemas['Calendar'],
  wanted: Schemas['CalendarUpdate'],
): CalendarSettings {
  refuseStale('calendar', stored, wanted);
  const { name, timeZone, hours, holidays } = { ...stored, ...wanted };
  return checked({ name: storedName(name), timeZone, hours, holidays }, stored.name);
}

function checked(settings: CalendarSettings, current: string | undefined): CalendarSettings {
  const zone = timeZoneProblem(settings.timeZone);
  const details = [
    ...nameProblems(settings.name, current),
    ...(zone === undefined ? [] : [{ field: 'timeZone', message: zone.replace(/^timeZone /, '') }]),
    ...hourProblems(settings.hours, 'hours'),
    ...repeatedHolidays(settings.holidays),
    ...settings.holidays.flatMap(({ hours = [] }, index) => hourProblems(hours, `holidays.${index}.hours`)),
  ];
  const [first] = details;
  if (!first) return settings;
  throw new Refusal('INVALID_REQUEST', `${first.field} ${first.message}.`, { details: details.slice(0, 20) });
}

/** Hours of a day of the week, or of the single day of a holiday. */
interface Span {
  readonly day?: string;
  readonly from: string;
  readonly to: string;
}

function hourProblems(hours: readonly Span[], field: string): ErrorDetail[] {
  const backwards = hours.flatMap(({ from, to }, index) => {
    const message = `must be later than ${from}, where they begin; hours past midnight are two entries`;
    return from < to ? [] : [{ field: `${field}.${index}.to`, message }];
  });
  return [...backwards, ...overlaps(hours, field)];
}

function overlaps(hours: readonly Span[], field: string): ErrorDetail[] {
  return hours.flatMap((one, index) => {
    const other = hours
      .slice(0, index)
      .find(({ day, from, to }) => day === one.day && from < one.to && one.from < to);
    const message = `overlaps ${other?.from} to ${other?.to} of the same day`;
    return other ? [{ field: `${field}.${index}`, message }] : [];
  });
}

function repeatedHolidays(holidays: Calendar['holidays']): ErrorDetail[] {
  const first = new Map<string, number>();
  return holidays.flatMap(({ date, name }, index) => {
    const before = first.get(date);
    first.set(date, before ?? index);
    if (name.trim() === '') return [{ field: `holidays.${index}.name`, message: 'must not be blank' }];
    return before === undefined
      ? []
      : [{ field: `holidays.${index}.date`, message: `${date} is there already, as entry ${before}` }];
  });
}
