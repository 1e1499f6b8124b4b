import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

/*
 * The promise to programs that speak version 4 of the workload management API, written down once more and by hand. Nothing in this file may
 * change. The contract may add operations, optional members, and refusals.
 */

/** A type: integer, int64, text, time, boolean or object; choices `A|B`; a schema by its name; `[…]` is a list of it. */
type Type = string;

const schemas: Record<
  string,
  { readonly needed?: readonly string[]; readonly members: Record<string, Type> }
> = {
  WorkItemModel: {
    members: {
      id: 'int64',
      name: 'text',
      attributes: '[WorkItemAttribute]',
      createdBy: 'int64',
      createdOn: 'time',
      updatedBy: 'int64',
      updatedOn: 'time',
      version: 'integer',
      tenantId: 'int64',
      tenantUuid: 'text',
    },
  },
  WorkItemAttribute: {
    members: { id: 'int64', name: 'text', type: 'TEXT|NUMBER|DATE|BOOLEAN', isRequired: 'boolean' },
  },
  Queue: {
    members: {
      id: 'int64',
      name: 'text',
      description: 'text',
      reactivationThreshold: 'integer',
      manualProcessingTime: 'integer',
      manualProcessingTimeUnit: 'text',
      disallowDuplicate: 'boolean',
      autoRetryLimit: 'integer',
      status: 'ACTIVE|INACTIVE',
      workItemModelId: 'int64',
      workItemProcessingOrders: '[text]',
      expiry: 'QueueExpiry',
      createdBy: 'int64',
      createdOn: 'time',
      updatedBy: 'int64',
      updatedOn: 'time',
      version: 'integer',
    },
  },
  QueueExpiry: { members: { type: 'text', duration: 'integer', durationUnit: 'text' } },
  WorkItem: {
    members: {
      id: 'int64',
      queueId: 'int64',
      json: 'object',
      status: 'NEW|IN_PROGRESS|FAILED|COMPLETE|DEFERRED',
      result: 'SUCCESS|FAILURE',
      col1: 'text',
      col2: 'text',
      col3: 'text',
      deviceId: 'int64',
      deviceUserId: 'int64',
      automationId: 'text',
      startTime: 'time',
      endTime: 'time',
      comment: 'text',
      error: 'text',
      retryCount: 'integer',
      deferredUntil: 'time',
      createdBy: 'int64',
      createdOn: 'time',
      version: 'integer',
    },
  },
  UpdateWorkItemRequest: {
    needed: ['id', 'queueId', 'version'],
    members: {
      id: 'int64',
      queueId: 'int64',
      version: 'integer',
      status: 'IN_PROGRESS|FAILED|COMPLETE|DEFERRED',
      result: 'SUCCESS|FAILURE',
      json: 'object',
    },
  },
  QueueConsumerRequest: { members: { roleId: 'int64' } },
  QueueConsumer: { members: { roleId: 'int64', roleName: 'text' } },
  QueueMemberRequest: { members: { role: 'OWNER|MEMBER|PARTICIPANT' } },
  QueueMember: { members: { userId: 'int64', role: 'text' } },
  QueueParticipantRequest: { members: { userId: 'int64' } },
  Error: { members: { code: 'text', message: 'text' } },
};

interface Promised {
  readonly at: string;
  /** The schema of the body, which is needed wherever there is one; a file is a form with the part `file`. */
  readonly takes?: string;
  /** The schema of the answer with status 200; without one, programs do not read the body. */
  readonly gives?: string;
  readonly refuses: readonly number[];
}

const operations: Record<string, Promised> = {
  createWorkItemModel: {
    at: 'post /workitemmodels',
    takes: 'WorkItemModel',
    gives: 'WorkItemModel',
    refuses: [400, 401],
  },
  getWorkItemModel: { at: 'get /workitemmodels/{id}', gives: 'WorkItemModel', refuses: [401, 404] },
  getQueue: { at: 'get /queues/{id}', gives: 'Queue', refuses: [401, 404] },
  addQueueConsumer: {
    at: 'post /queues/{id}/consumers',
    takes: 'QueueConsumerRequest',
    gives: 'QueueConsumer',
    refuses: [400, 401, 404],
  },
  addOrUpdateQueueMember: {
    at: 'put /queues/{id}/members/{userId}',
    takes: 'QueueMemberRequest',
    gives: 'QueueMember',
    refuses: [400, 401, 404],
  },
  addQueueParticipant: {
    at: 'post /queues/{id}/participants',
    takes: 'QueueParticipantRequest',
    refuses: [400, 401, 404],
  },
  updateWorkItem: {
    at: 'put /queues/{id}/workitems/{workItemId}',
    takes: 'UpdateWorkItemRequest',
    gives: 'WorkItem',
    refuses: [400, 401, 404],
  },
  createWorkItemsFromFile: { at: 'post /queues/{id}/file', takes: 'file', refuses: [400, 401, 404] },
};

interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  enum?: string[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: unknown;
}
interface Media {
  content?: Record<string, { schema: Schema }>;
}
interface Operation {
  operationId: string;
  parameters?: ({ $ref: string } | { $ref?: undefined; name: string; in: string; required?: boolean })[];
  requestBody?: Media & { required?: boolean };
  responses: Record<string, Media & { $ref?: string }>;
  security?: unknown;
  'x-members'?: string;
}
interface Parameter {
  name: string;
  in: string;
  required: boolean;
  schema: Schema;
}

const contract = JSON.parse(readFileSync(new URL('../openapi.json', import.meta.url), 'utf8')) as {
  servers: { url: string }[];
  security: unknown;
  paths: Record<string, Record<string, Operation>>;
  components: {
    securitySchemes: Record<string, { description: string }>;
    parameters: Record<string, Parameter>;
    responses: Record<string, Media>;
    schemas: Record<string, Schema>;
  };
};

function lastOf(reference = ''): string {
  return reference.split('/').at(-1) ?? '';
}

function typeOf({ $ref, type, format, enum: choices, items }: Schema): Type {
  if ($ref) return lastOf($ref);
  if (choices) return choices.join('|');
  if (type === 'array') return `[${typeOf(items ?? {})}]`;
  if (type === 'string' && format === 'date-time') return 'time';
  if (type === 'string') return 'text';
  return format ?? String(type);
}

function find(promised: Promised): Operation | undefined {
  const [method = '', path] = promised.at.split(' ');
  return contract.paths[`/v4/wlm${path}`]?.[method];
}

function schemaOf(media: Media | undefined, type = 'application/json'): Schema | undefined {
  return media?.content?.[type]?.schema;
}

/** Millrace's additions to version 4: query parameters, all of them optional. */
const addedParameters: Record<string, readonly string[]> = {
  getWorkItemModel: ['modelVersion'],
  createWorkItemsFromFile: [
    'delimiter',
    'encoding',
    'sheet',
    'mapping',
    'extraColumns',
    'dateFormat',
    'decimalSign',
    'timeZone',
    'onError',
    'batchName',
    'expectedItems',
    'expectedSums',
    'dryRun',
    'again',
    'async',
  ],
};

describe.each(Object.entries(operations))('%s', (operationId, promised) => {
  const { at, takes, gives, refuses } = promised;
  const operation = find(promised);

  test(`${operationId} is ${at}`, () => {
    expect(operation?.operationId).toBe(operationId);
  });

  test(`${operationId} takes ids of 64 bits in its path, and must be given no other parameter in its address`, () => {
    const declared = operation?.parameters ?? [];
    const added = declared.flatMap((one) =>
      one.$ref === undefined ? [[one.name, one.in, one.required ?? false]] : [],
    );
    expect(added).toEqual((addedParameters[operationId] ?? []).map((name) => [name, 'query', false]));
    const parameters = declared.flatMap(({ $ref }) =>
      $ref === undefined || $ref.endsWith('/IdempotencyKey')
        ? []
        : [contract.components.parameters[lastOf($ref)]],
    );
    expect(parameters.map((parameter) => `{${parameter?.name}}`)).toEqual(at.match(/\{\w+\}/g) ?? []);
    for (const parameter of parameters)
      expect(parameter).toMatchObject({
        in: 'path',
        required: true,
        schema: { type: 'integer', format: 'int64' },
      });
  });

  test(`${operationId} takes ${takes ?? 'no body'}`, () => {
    const body = operation?.requestBody;
    expect(body?.required).toBe(takes ? true : undefined);
    const types = takes === 'file' ? ['multipart/form-data'] : takes ? ['application/json'] : [];
    expect(Object.keys(body?.content ?? {})).toEqual(types);
    if (takes === 'file') {
      const form = schemaOf(body, 'multipart/form-data');
      expect(form).toMatchObject({ properties: { file: { type: 'string', format: 'binary' } } });
    } else if (takes) expect(typeOf(schemaOf(body) ?? {})).toBe(takes);
  });

  test(`${operationId} answers 200 with ${gives ?? 'a body that nobody needs'}`, () => {
    const successes = Object.keys(operation?.responses ?? {}).filter((status) => /^[123]/.test(status));
    // Only for its own parameter `async`, which callers of version 4 do not send.
    const further = operationId === 'createWorkItemsFromFile' ? ['202'] : [];
    expect(successes).toEqual(['200', ...further]);
    if (gives) expect(typeOf(schemaOf(operation?.responses['200']) ?? {})).toBe(gives);
  });

  test(`${operationId} may be refused with ${refuses.join(', ')}, and each refusal is an Error`, () => {
    const refusals = Object.entries(operation?.responses ?? {}).filter(([status]) => /^[45]/.test(status));
    expect(refusals.map(([status]) => Number(status))).toEqual(expect.arrayContaining([...refuses]));
    for (const [, { $ref, ...inline }] of refusals) {
      const response = $ref ? contract.components.responses[lastOf($ref)] : inline;
      expect(typeOf(schemaOf(response) ?? {})).toBe('Error');
    }
  });

  test(`${operationId} takes the token in either header`, () => {
    expect(operation).not.toHaveProperty('security');
    expect(contract.security).toEqual([{ bearerAuth: [] }, { xAuthorization: [] }]);
  });
});

describe.each(Object.entries(schemas))('the schema %s', (name, { needed = [], members }) => {
  const schema = contract.components.schemas[name] ?? {};

  test('has each member as promised', () => {
    const types = Object.entries(schema.properties ?? {}).map(([member, type]) => [member, typeOf(type)]);
    expect(schema.type).toBe('object');
    expect(Object.fromEntries(types)).toMatchObject(members);
  });

  test('needs no member that programs do not send', () => {
    // The server sends errors: there, more members are better.
    const isOurs = name === 'Error';
    expect(schema.required ?? []).toEqual(isOurs ? ['code', 'message'] : needed);
  });
});

test('the operations of version 4 take members that they do not know, and no others do', () => {
  const open = Object.values(contract.paths)
    .flatMap((item) => Object.values(item))
    .filter((operation) => operation['x-members'] === 'open');
  const taking = Object.keys(operations).filter((name) => (operations[name]?.takes ?? 'file') !== 'file');
  expect(open.map(({ operationId }) => operationId).toSorted()).toEqual(taking.toSorted());
});

test('the data of an item may have any members', () => {
  for (const name of ['WorkItem', 'UpdateWorkItemRequest'])
    expect(contract.components.schemas[name]?.properties?.['json']?.additionalProperties).toBe(true);
});

test('the two ways to send a token are those that programs know', () => {
  const { bearerAuth, xAuthorization } = contract.components.securitySchemes;
  expect(bearerAuth).toMatchObject({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT' });
  expect(xAuthorization).toMatchObject({ type: 'apiKey', in: 'header', name: 'X-Authorization' });
});
