import type { ErrorObject } from 'ajv/dist/2020.js';

/** The parameters of the validator's errors. */
interface Params {
  readonly limit: number;
  readonly type: string | readonly string[];
  readonly allowedValues: readonly unknown[];
  readonly pattern: string;
  readonly i: number;
  readonly j: number;
}

const things: Readonly<Record<string, string>> = {
  object: 'an object',
  array: 'a list',
  string: 'a text',
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
};

const patterns: Readonly<Record<string, string>> = {
  '\\S': 'must not be blank',
  '^\\w+(,\\w+)*$': 'must be names with commas between',
  '^\\d{1,20}-\\d{1,19}$': 'must be a cursor, as events and their lists have it',
  '^(now|\\d{1,20}-\\d{1,19})$': 'must be a cursor, as events and their lists have it, or "now"',
  '^\\d{1,19}(,\\d{1,19}){0,99}$': 'must be at most 100 ids with commas between',
  '^(USER|RUNNER|MILLRACE)(,(USER|RUNNER|MILLRACE)){0,2}$':
    'must be of USER, RUNNER and MILLRACE, with commas between',
};

const many = (count: number, one: string) => `${count} ${one}${count === 1 ? '' : 's'}`;

/** Messages for people, by the keyword of the schema that was violated. */
const wordings: Readonly<Record<string, (params: Params) => string | undefined>> = {
  type: ({ type }) =>
    `must be ${[type]
      .flat()
      .map((one) => things[one] ?? one)
      .join(' or ')}`,
  int64: () => 'must be a whole number of at most 64 bits',
  enum: ({ allowedValues }) => `must be one of ${allowedValues.join(', ')}`,
  minimum: ({ limit }) => `must be at least ${limit}`,
  maximum: ({ limit }) => `must be at most ${limit}`,
  minLength: ({ limit }) =>
    limit === 1 ? 'must not be empty' : `must have at least ${many(limit, 'character')}`,
  maxLength: ({ limit }) => `must have at most ${many(limit, 'character')}`,
  minItems: ({ limit }) =>
    limit === 1 ? 'must not be empty' : `must have at least ${many(limit, 'member')}`,
  maxItems: ({ limit }) => `must have at most ${many(limit, 'member')}`,
  uniqueItems: ({ i, j }) => `has the same member twice, at the positions ${j} and ${i}`,
  format: () => 'must be a time such as 2026-03-02T08:16:00Z',
  pattern: ({ pattern }) => patterns[pattern],
};

/** An error of the validator in words that follow the name of a member. */
export function worded({ keyword, message = '', params }: ErrorObject): string {
  return wordings[keyword]?.(params as unknown as Params) ?? message;
}
