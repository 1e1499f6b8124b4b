import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

interface Operation {
  readonly operationId: string;
}
interface Search {
  readonly namesOf: (operation: Operation) => string;
  readonly wordsOf: (contract: unknown, operation: Operation) => string;
  readonly holds: (typed: string, text: string) => boolean;
}
interface Sections {
  readonly sections: (contract: unknown) => { operations: Operation[] }[];
}

// Modules for the browser: their types are those of the browser, which the tests do not have.
const { namesOf, wordsOf, holds } = (await import(new URL('search.js', import.meta.url).href)) as Search;
const { sections } = (await import(new URL('contract.js', import.meta.url).href)) as Sections;

const contract: unknown = JSON.parse(
  readFileSync(new URL('../../api/openapi.json', import.meta.url), 'utf8'),
);

function find(typed: string): string[] {
  return sections(contract)
    .flatMap(({ operations }) => operations)
    .filter((operation) => holds(typed, `${namesOf(operation)} ${wordsOf(contract, operation)}`))
    .map(({ operationId }) => operationId);
}

describe('an operation is found', () => {
  test.each([
    ['its path', '/v4/wlm/queues/{id}/file', 'createWorkItemsFromFile'],
    ['its older path', '/v1/authentication/token', 'validateToken'],
    ['its operationId, in any case', 'CLAIMWORKITEMS', 'claimWorkItems'],
    ['its summary', 'Put work items into a queue', 'createWorkItems'],
    ['its command', 'signing-key rotate', 'rotateSigningKey'],
    ['words of its description, in any order', 'passwords five', 'logIn'],
    ['a parameter in its header', 'last-event-id', 'streamEvents'],
    ['a parameter in its query', 'modelVersion', 'getWorkItemModel'],
    ['a member of its body', 'disallowDuplicate', 'createQueue'],
    ['a member of what its body lists', 'deferredUntil workItems', 'createWorkItems'],
  ])('by %s', (_, typed, operationId) => {
    expect(find(typed)).toContain(operationId);
  });

  test('by no member that a request may not have', () => {
    expect(find('createdBy createQueue')).toEqual([]);
  });

  test('by all words that are typed, and not by some', () => {
    expect(find('disallowDuplicate nonsense')).toEqual([]);
  });
});
