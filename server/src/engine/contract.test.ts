import type { OperationId } from '@millrace/api';
import { describe, expect, test } from 'vitest';
import { contractText, requestReader, responseCheck } from './contract.ts';
import type { Refusal } from './errors.ts';

interface Media {
  schema: { $ref?: string };
  examples?: Record<string, { value: unknown }>;
}
interface ContractOperation {
  operationId: OperationId;
  tags: string[];
  requestBody?: { content: Record<string, Media> };
  responses: Record<string, { content?: Record<string, Media> }>;
}

const contract = JSON.parse(contractText) as {
  tags: { name: string }[];
  paths: Record<string, Record<string, ContractOperation>>;
  components: { schemas: Record<string, { examples?: unknown[] }> };
};
const operations = Object.values(contract.paths).flatMap((item) => Object.values(item));

/** The examples shown to readers for a body: those of the operation and those of the schema. */
function examplesOf({ schema, examples = {} }: Media): unknown[] {
  const named = contract.components.schemas[schema.$ref?.split('/').at(-1) ?? ''];
  return [...Object.values(examples).map(({ value }) => value), ...(named?.examples ?? [])];
}

const requests = operations.flatMap(({ operationId, requestBody }) =>
  Object.values(requestBody?.content ?? {})
    .flatMap(examplesOf)
    .map((example, index) => [operationId, index, example] as const),
);
const answers = operations.flatMap(({ operationId, responses }) =>
  Object.entries(responses).flatMap(([status, { content = {} }]) =>
    Object.entries(content)
      .flatMap(([kind, media]) => examplesOf(media).map((example) => ({ kind, example })))
      .map((one, index) => [operationId, index, Number(status), one] as const),
  ),
);

/** Checks a body without pauses. */
function check(operationId: OperationId, body: unknown): void {
  for (const _ of requestReader(operationId).body(body)) continue;
}

describe('the examples in the contract', () => {
  test.each(requests)('%s takes its example %i of a request', (operationId, _, example) => {
    expect(() => check(operationId, example)).not.toThrow();
  });

  test.each(answers)('%s may answer its example %i', (operationId, _, status, { kind, example }) => {
    expect(responseCheck(operationId, status, kind)(example)).toEqual([]);
  });
});

describe('the tags in the contract', () => {
  test('name every group of operations, so that a page shows them all', () => {
    const named = contract.tags.map(({ name }) => name);
    expect(new Set(operations.flatMap(({ tags }) => tags))).toEqual(new Set(named));
  });
});

describe('a member that the contract does not name', () => {
  const update = { id: 1001, queueId: 7, version: 0 };

  test.each([
    [
      'updateWorkItem',
      { ...update, totalPausedTime: 0, progress: { percent: 5, eta: 9 } },
      { ...update, progress: { percent: 5 } },
    ],
    [
      'updateWorkItem',
      { ...update, result: 'SUCCESS', results: [], content: 'x' },
      { ...update, result: 'SUCCESS' },
    ],
    [
      'updateWorkItem',
      { ...update, updatedby: 3, json: { coment: 'x' } },
      { ...update, json: { coment: 'x' } },
    ],
    [
      'createWorkItemModel',
      { name: 'a', colour: 'red', attributes: [{ name: 'b', size: 3 }] },
      { name: 'a', attributes: [{ name: 'b' }] },
    ],
    ['addOrUpdateQueueMember', { permissions: ['own'] }, {}],
    ['addQueueParticipant', { userId: 9, roles: [] }, { userId: 9 }],
    ['addQueueConsumer', { roleId: 9, name: 'x' }, { roleId: 9 }],
  ] as const)('is taken out where version 4 leaves its schemas open: %s', (operationId, sent, read) => {
    const body = structuredClone<object>(sent);
    check(operationId, body);
    expect(body).toEqual(read);
  });

  test.each([
    [
      'updateWorkItem',
      { ...update, Status: 'COMPLETE' },
      'Status is not a known member; status may be meant',
    ],
    ['updateWorkItem', { ...update, stauts: 'COMPLETE' }, 'status may be meant'],
    ['updateWorkItem', { ...update, jsn: {} }, 'json may be meant'],
    ['updateWorkItem', { ...update, deferred_untill: null }, 'deferredUntil may be meant'],
    [
      'updateWorkItem',
      { ...update, progress: { precent: 5 } },
      'progress.precent is not a known member; percent may be meant',
    ],
    [
      'createWorkItemModel',
      { name: 'a', attributes: [{ name: 'b', required: true }] },
      'attributes.0.required is not a known member; isRequired may be meant',
    ],
    ['addQueueConsumer', { roleid: 9 }, 'roleId may be meant'],
  ] as const)('is refused where another one may be meant: %s %j', (operationId, sent, message) => {
    expect(() => check(operationId, structuredClone(sent))).toThrow(message);
  });

  test.each([
    ['createWorkItems', { workItems: [{ json: {}, foo: 1 }] }, 'workItems.0.foo is not a known member.'],
    ['claimWorkItems', { foo: 1 }, 'foo is not a known member.'],
  ] as const)('is refused by our own operations: %s', (operationId, sent, message) => {
    expect(() => check(operationId, sent)).toThrow(message);
  });
});

describe('an instant in a request', () => {
  const until = (text: string) => check('pauseQueue', { reason: 'ERP is down', until: text });

  test.each(['2030-12-31T23:59:59Z', '0001-01-01T00:00:00Z', '9999-12-31T23:59:59+23:00'])(
    'may be %s',
    (text) => expect(() => until(text)).not.toThrow(),
  );

  // Each is of the format date-time; Date does not know the first, and PostgreSQL not the others.
  test.each(['2030-12-31T23:59:60Z', '9999-12-31T23:59:59-23:00', '0001-01-01T00:00:00+01:00'])(
    'may not be %s',
    (text) => expect(() => until(text)).toThrow('until must be a time such as'),
  );
});

describe('a body with much that is wrong', () => {
  const refusalOf = (operationId: OperationId, body: unknown) => {
    try {
      check(operationId, body);
    } catch (error) {
      return error as Refusal;
    }
    return undefined;
  };

  test('is refused with the first twenty, and told that there are more', () => {
    const refusal = refusalOf('createWorkItems', { workItems: Array.from({ length: 5000 }, () => 1) });
    expect(refusal?.details).toHaveLength(20);
    expect(refusal?.details?.[19]).toEqual({ field: 'workItems.19', message: 'must be an object' });
    expect(refusal?.message).toMatch(/workItems\.0 must be an object\. More than 20 things are wrong/);
  });

  test('is refused with all that is wrong in a few items, each with its place', () => {
    const refusal = refusalOf('createWorkItems', {
      wrong: 1,
      workItems: [{ json: {} }, { jsno: {}, tags: 5 }],
    });
    expect(refusal?.details?.map(({ field }) => field)).toEqual([
      'wrong',
      'workItems.1.json',
      'workItems.1.jsno',
      'workItems.1.tags',
    ]);
    expect(refusal?.message).not.toContain('More than');
  });

  test('is refused for the length of a list without a look at its members', () => {
    const refusal = refusalOf('createWorkItems', { workItems: Array.from({ length: 10_001 }, () => 1) });
    expect(refusal?.details).toEqual([{ field: 'workItems', message: 'must have at most 10000 members' }]);
  });

  test('is refused with one complaint about an item that is large itself', () => {
    const names = Array.from({ length: 5000 }, (_, index) => [`name ${index}`, 1]);
    const refusal = refusalOf('createWorkItems', { workItems: [Object.fromEntries(names), 1] });
    expect(refusal?.details?.map(({ field }) => field)).toEqual(['workItems.0.json', 'workItems.1']);
  });
});
