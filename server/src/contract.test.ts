import type { OperationId } from '@millrace/api';
import { describe, expect, test } from 'vitest';
import { contractText, requestReader, responseCheck } from './contract.ts';

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

/** What a reader is shown for a body: the examples of the operation and those of the schema. */
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
    Object.values(content)
      .flatMap(examplesOf)
      .map((example, index) => [operationId, index, Number(status), example] as const),
  ),
);

describe('the examples in the contract', () => {
  test.each(requests)('%s takes its example %i of a request', (operationId, _, example) => {
    expect(() => requestReader(operationId).body(example)).not.toThrow();
  });

  test.each(answers)('%s may answer its example %i', (operationId, _, status, example) => {
    expect(responseCheck(operationId, status)(example)).toEqual([]);
  });
});

describe('the tags in the contract', () => {
  test('name every group of operations, so that a page shows them all', () => {
    const named = contract.tags.map(({ name }) => name);
    expect(new Set(operations.flatMap(({ tags }) => tags))).toEqual(new Set(named));
  });
});

describe('an instant in a request', () => {
  const until = (text: string) => requestReader('pauseQueue').body({ reason: 'ERP is down', until: text });

  test.each(['2030-12-31T23:59:59Z', '0001-01-01T00:00:00Z', '9999-12-31T23:59:59+23:00'])(
    'may be %s',
    (text) => expect(() => until(text)).not.toThrow(),
  );

  // Each is of the format date-time; of the first Date knows nothing, of the others PostgreSQL.
  test.each(['2030-12-31T23:59:60Z', '9999-12-31T23:59:59-23:00', '0001-01-01T00:00:00+01:00'])(
    'may not be %s',
    (text) => expect(() => until(text)).toThrow('until must match format "date-time"'),
  );
});
