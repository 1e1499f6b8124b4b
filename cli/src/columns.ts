import type { OperationId } from '@millrace/api';

// What people look for in a list, most wanted first. `json.*` stands for the data of items, a column an attribute;
// `pause.until` for a member of a member.
const wanted: Partial<Record<OperationId, readonly string[]>> = {
  listQueues: [
    'id',
    'name',
    'status',
    'archived',
    'workItemModelId',
    'pause.reason',
    'pause.until',
    'description',
    'updatedOn',
  ],
  listWorkItemModels: ['id', 'name', 'archived', 'attributes'],
  listWorkItems: [
    'id',
    'status',
    'failureKind',
    'priority',
    'retryCount',
    'deviceId',
    'leaseExpiresOn',
    'progress',
    'deferredUntil',
    'notBefore',
    'json.*',
    'error',
    'tags',
    'comment',
  ],
  claimWorkItems: ['id', 'version', 'leaseExpiresOn', 'json.*'],
  createWorkItems: ['id', 'status', 'deferredUntil', 'json.*', 'tags'],
  listDoubts: ['queueName', 'id', 'version', 'since', 'deviceId', 'error'],
  listWorkItemEvents: ['on', 'operation', 'actorName', 'deviceId', 'from', 'to', 'reason', 'changes'],
  listDevices: [
    'id',
    'hostName',
    'nickname',
    'status',
    'state',
    'busySlots',
    'slots',
    'lastSeenOn',
    'stateReason',
    'labels',
    'poolIds',
    'agentVersion',
  ],
  requestWork: [
    'id',
    'version',
    'queueId',
    'automationId',
    'botName',
    'runAsUser',
    'leaseExpiresOn',
    'json.*',
  ],
  listPools: ['id', 'name', 'scheme', 'deviceCount', 'ownerIds', 'consumerRoleIds', 'description'],
  listAutomations: [
    'id',
    'name',
    'status',
    'queueId',
    'poolId',
    'botName',
    'statusReason',
    'runAsUserIds',
    'priority',
    'weight',
    'labels',
  ],
  listUsers: ['id', 'username', 'roles', 'firstName', 'lastName', 'email', 'disabled'],
  listRoles: ['id', 'name', 'countPrincipals', 'permissions'],
  listApiKeys: ['id', 'name', 'userId', 'expiresOn', 'createdOn'],
};

// The same for lists inside of answers, by the member that holds them.
const wantedWithin: Readonly<Record<string, readonly string[]>> = {
  invalid: ['queueId', 'itemId', 'field', 'message'],
  attempts: ['number', 'deviceId', 'startedOn', 'endedOn', 'outcome', 'error'],
  lateReports: ['on', 'operation', 'actorName', 'deviceId', 'reason', 'changes'],
  reasons: ['code', 'sentence'],
};

// What almost every row has says nothing when all have it: then the column is left out.
const usual: Readonly<Record<string, unknown>> = { archived: false, priority: 4, retryCount: 0 };

/** The columns to show of a list that an operation answers. */
export function columnsOf(operationId: OperationId): readonly string[] {
  return wanted[operationId] ?? ['*'];
}

/** The columns to show of a list inside of an answer, by the name of the member that holds it. */
export function columnsWithin(member: string): readonly string[] {
  return wantedWithin[member.split('.').at(-1) ?? ''] ?? ['*'];
}

/** Whether a value of a column is what people expect unless they are told otherwise. */
export function isUsual(column: string, value: unknown): boolean {
  return Object.hasOwn(usual, column) && usual[column] === value;
}
