import { operations, type OperationId } from '@millrace/api';
import { expect, test } from 'vitest';
import { describe, timesInRows } from './contract.ts';

const member = (operationId: OperationId, name: string) =>
  describe(operationId).members.find((one) => one.name === name);

test('arguments are the parameters of the path in its order, each known by what it names', () => {
  expect(describe('getWorkItem').parameters).toEqual([
    { name: 'id', description: 'Id of the queue', names: 'queue' },
    { name: 'workItemId', description: 'Id of the work item', names: undefined },
  ]);
  expect(describe('getWorkItemModel').parameters).toMatchObject([{ name: 'id', names: 'model' }]);
});

test('members of the body are known with kind, choices and whether they are required', () => {
  expect(member('createQueue', 'workItemModelId')).toMatchObject({ kind: 'integer', isRequired: true });
  expect(member('createQueue', 'status')).toMatchObject({ kind: 'text', choices: ['ACTIVE', 'INACTIVE'] });
  expect(member('createQueue', 'disallowDuplicate')).toMatchObject({ kind: 'boolean', isRequired: false });
  expect(member('createQueue', 'displayColumns')).toMatchObject({ kind: 'texts' });
  expect(member('updateWorkItemStatus', 'ids')).toMatchObject({ kind: 'integers' });
  expect(member('createQueue', 'expiry')).toMatchObject({ kind: 'json' });
  expect(member('claimWorkItems', 'waitSeconds')).toMatchObject({ kind: 'number' });
  expect(member('createApiKey', 'expiresOn')).toMatchObject({ kind: 'time' });
  expect(member('updateWorkItem', 'priority')).toMatchObject({ kind: 'integer', place: 'body' });
});

test('members that only the server sets are left out, also where a schema says so that others share', () => {
  for (const name of ['pause', 'rekeying', 'archived', 'createdOn'])
    expect(member('updateQueue', name), name).toBeUndefined();
  for (const name of ['col1', 'runAsUser', 'retryCount', 'notBefore', 'leaseExpiresOn', 'attempts', 'doubt'])
    expect(member('updateWorkItem', name), name).toBeUndefined();
  for (const name of ['json', 'status', 'tags', 'priority', 'deferredUntil', 'output', 'comment'])
    expect(member('updateWorkItem', name), name).toBeDefined();
});

test('JSON has its form from the schema: the members that can be set, with what each can be', () => {
  expect(member('createWorkItemModel', 'attributes')?.shape).toBe(
    '[{"name":"text", "type":"TEXT|NUMBER|DATE|BOOLEAN", "isRequired":true, "sensitivity":"PERSONAL|SECRET|NONE"}]',
  );
  expect(member('createQueue', 'expiry')?.shape).toContain('"type":"DURATION|DATE|NONE"');
  expect(member('updateWorkItem', 'json')?.shape).toBe('{"name":value}');
  expect(member('createQueue', 'name')?.shape).toBeUndefined();
});

test('times are known in the rows of lists, and in the items that a bulk action finds', () => {
  expect(timesInRows('listQueues')).toEqual(expect.arrayContaining(['createdOn', 'updatedOn']));
  for (const operationId of ['listWorkItems', 'updateWorkItemStatus'] as const)
    expect(timesInRows(operationId)).toEqual(expect.arrayContaining(['deferredUntil', 'leaseExpiresOn']));
  expect(timesInRows('listWorkItems')).not.toContain('status');
});

test('ids are known by what they are of', () => {
  expect(member('createAutomation', 'poolId')?.names).toBe('pool');
  expect(member('createAutomation', 'runAsUserIds')?.names).toBe('user');
  expect(member('createPool', 'consumerRoleIds')).toMatchObject({ kind: 'integers', names: 'role' });
  expect(member('createUser', 'roles')).toMatchObject({ kind: 'references', names: 'role' });
  expect(member('createQueue', 'workItemModelId')?.names).toBe('model');
  expect(member('updateWorkItemStatus', 'ids')?.names).toBeUndefined();
  expect(describe('addOrUpdateQueueMember').parameters.map(({ names }) => names)).toEqual(['queue', 'user']);
  expect(describe('revokeApiKey').parameters.map(({ names }) => names)).toEqual([undefined]);
});

test('members of the query are known as well', () => {
  expect(member('validateToken', 'token')).toMatchObject({
    place: 'query',
    description: 'The token to look at',
  });
});

test('a request for a list is known as one', () => {
  expect(describe('listQueues').isList).toBe(true);
  expect(describe('createQueue').isList).toBe(false);
  expect(describe('updateWorkItemStatus')).toMatchObject({ isList: false, isFiltered: true });
  expect(describe('createQueue').isFiltered).toBe(false);
});

test.each(Object.keys(operations) as OperationId[])(
  '%s has a text that says what it does and what it answers',
  (operationId) => {
    const { text, answer, operation } = describe(operationId);
    expect(text.startsWith(operation.summary)).toBe(true);
    expect(answer).not.toBe('');
  },
);
