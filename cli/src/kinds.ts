import { operations, type Operation, type OperationId } from '@millrace/api';

/** A kind of thing with a name for people and an id for the server. */
export type Kind =
  'queue' | 'model' | 'pool' | 'automation' | 'device' | 'role' | 'user' | 'tenant' | 'calendar';

interface Naming {
  /** The operation that finds things of the kind. */
  readonly list: OperationId;
  /** The members that hold its names. */
  readonly fields: readonly string[];
  /** The same, in words for help. */
  readonly called: string;
  /** Whether lists leave archived ones out by default. */
  readonly isArchivable?: true;
}

const namings: Readonly<Record<Kind, Naming>> = {
  queue: { list: 'listQueues', fields: ['name'], called: 'Name', isArchivable: true },
  model: { list: 'listWorkItemModels', fields: ['name'], called: 'Name', isArchivable: true },
  pool: { list: 'listPools', fields: ['name'], called: 'Name' },
  automation: { list: 'listAutomations', fields: ['name'], called: 'Name' },
  device: { list: 'listDevices', fields: ['hostName', 'nickname'], called: 'Host name, nickname' },
  role: { list: 'listRoles', fields: ['name'], called: 'Name' },
  user: { list: 'listUsers', fields: ['username'], called: 'User name' },
  tenant: { list: 'listTenants', fields: ['name'], called: 'Name' },
  calendar: { list: 'listCalendars', fields: ['name'], called: 'Name' },
};

// Names of ids in the contract: in paths the collection tells the kind, elsewhere the member.
const collections: Readonly<Record<string, Kind>> = {
  queues: 'queue',
  workitemmodels: 'model',
  pools: 'pool',
  automations: 'automation',
  devices: 'device',
  users: 'user',
  roles: 'role',
  tenants: 'tenant',
  calendars: 'calendar',
};
const endings: Readonly<Record<string, Kind>> = {
  queueId: 'queue',
  modelId: 'model',
  poolId: 'pool',
  deviceId: 'device',
  roleId: 'role',
  userId: 'user',
  calendarId: 'calendar',
  ownerId: 'user',
  actorId: 'user',
};

/** The way to find things of a kind by name. */
export function namingOf(kind: Kind): Naming {
  return namings[kind];
}

/** The kind of thing that a parameter of a path names. @param collection the part before it in the path */
export function kindInPath(collection: string, parameter: string): Kind | undefined {
  return kindOfMember(parameter) ?? (parameter === 'id' ? collections[collection] : undefined);
}

/** The kind of thing whose id, or ids, a member holds; by its name. */
export function kindOfMember(member: string): Kind | undefined {
  const name = member.replace(/s$/, '').toLowerCase();
  return Object.entries(endings).find(([ending]) => name.endsWith(ending.toLowerCase()))?.[1];
}

/** The names by which help asks for a thing of a kind. */
export function namesOf(kind: Kind): string {
  return `${namings[kind].called} or id of the ${kind}`;
}

/** The command that shows all of a kind. */
export function listCommandOf(kind: Kind): string {
  const { cli }: Operation = operations[namings[kind].list];
  return `millrace ${cli ?? ''}`;
}
