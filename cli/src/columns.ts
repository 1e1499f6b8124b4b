import { ExactNumber, stringifyJson, type OperationId } from '@millrace/api';
import { isRecord } from './body.ts';
import { oneLine } from './terminal.ts';

type Row = Readonly<Record<string, unknown>>;

/** A table of texts: the name of each column, and its cells. */
export interface Cells {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Columns that had no room. */
  readonly hidden: number;
}

// What people look for in a list, most wanted first. `json.*` stands for the data of items, a column an attribute.
const wanted: Partial<Record<OperationId, readonly string[]>> = {
  listQueues: ['id', 'name', 'status', 'workItemModelId', 'description', 'updatedOn'],
  listWorkItemModels: ['id', 'name', 'attributes'],
  listWorkItems: ['id', 'status', 'failureKind', 'retryCount', 'json.*', 'error', 'comment'],
  claimWorkItems: ['id', 'version', 'leaseExpiresOn', 'json.*'],
  createWorkItems: ['id', 'status', 'json.*'],
  listWorkItemEvents: ['on', 'operation', 'actorName', 'from', 'to', 'reason', 'changes'],
  listDevices: [
    'id',
    'hostName',
    'nickname',
    'status',
    'state',
    'busySlots',
    'slots',
    'labels',
    'poolIds',
    'stateReason',
  ],
  listPools: ['id', 'name', 'scheme', 'deviceCount', 'ownerIds', 'consumerRoleIds', 'description'],
  listAutomations: [
    'id',
    'name',
    'status',
    'queueId',
    'poolId',
    'botName',
    'priority',
    'weight',
    'labels',
    'statusReason',
  ],
  listUsers: ['id', 'username', 'roles', 'firstName', 'lastName', 'email', 'disabled'],
  listRoles: ['id', 'name', 'countPrincipals', 'permissions'],
  listApiKeys: ['id', 'name', 'userId', 'expiresOn', 'createdOn'],
};

const widest = 40;
const gap = 2;

/**
 * A list as a table. Columns without any value are left out.
 * @param width of the screen; columns that do not fit are left out, and long cells are cut. Without one, nothing is.
 */
export function cellsOf(operationId: OperationId, list: readonly Row[], width: number | undefined): Cells {
  const flat = list.map(flatRow);
  const known = [...new Set(flat.flatMap((row) => Object.keys(row)))];
  const names = (wanted[operationId] ?? ['*']).flatMap((name) => matching(name, known));
  const columns = names.map((name) => ({
    name: shownName(name),
    cells: flat.map((row) => cellText(row[name])),
  }));
  const cut =
    width === undefined
      ? columns
      : columns.map((column) => ({ ...column, cells: column.cells.map(shortened) }));
  const shown = width === undefined ? cut : fitting(cut, width);
  return {
    head: shown.map(({ name }) => name),
    rows: list.map((_, index) => shown.map(({ cells }) => cells[index] ?? '')),
    hidden: cut.length - shown.length,
  };
}

/** A record as pairs of name and value, without those that are empty; members of members as `counts.NEW`. */
export function fieldsOf(record: Row): [string, string][] {
  return Object.entries(record).flatMap(([name, value]): [string, string][] => {
    if (isPlain(value)) return fieldsOf(value).map(([inner, text]) => [`${name}.${inner}`, text]);
    const text = cellText(value);
    return text === '' ? [] : [[name, text]];
  });
}

/** A value on one line. */
export function cellText(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return oneLine(value);
  if (Array.isArray(value)) return value.map(cellText).join(', ');
  if (!isPlain(value)) return stringifyJson(value);
  if (typeof value['code'] === 'string' && typeof value['message'] === 'string')
    return oneLine(`${value['code']}: ${value['message']}`);
  const { name, type } = value;
  if (typeof name === 'string') return oneLine(typeof type === 'string' ? `${name} ${type}` : name);
  return oneLine(stringifyJson(value));
}

/** The row without empty members, and with the data of an item as members `json.name`. */
function flatRow({ json, ...row }: Row): Row {
  const data = isPlain(json) ? Object.entries(json) : [];
  const members = [...Object.entries(row), ...data.map(([name, value]) => [`json.${name}`, value] as const)];
  return Object.fromEntries(members.filter(([, value]) => cellText(value) !== ''));
}

function matching(pattern: string, known: readonly string[]): readonly string[] {
  if (pattern === '*') return known;
  if (!pattern.endsWith('*')) return known.filter((name) => name === pattern);
  return known.filter((name) => name.startsWith(pattern.slice(0, -1)));
}

function shownName(name: string): string {
  return name.replace(/^json\./, '');
}

function fitting<C extends { readonly name: string; readonly cells: readonly string[] }>(
  columns: readonly C[],
  width: number,
): readonly C[] {
  let used = -gap;
  const tooMany = columns.findIndex(({ name, cells }) => {
    used += gap + Math.max(...[name, ...cells].map((text) => text.length));
    return used > width;
  });
  return tooMany === -1 ? columns : columns.slice(0, Math.max(1, tooMany));
}

function shortened(text: string): string {
  const letters = [...text];
  return letters.length <= widest ? text : `${letters.slice(0, widest - 1).join('')}…`;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return isRecord(value) && !(value instanceof ExactNumber);
}
