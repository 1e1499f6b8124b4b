import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';

const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true });

/** Names that can be told apart by eye, as the server wants them. */
export const plainName = '^(?!\\s)\\P{Cc}*(?<!\\s)$';
/** Texts that the system takes in what it is to start. */
export const withoutNul = '^[^\\0]*$';

/** What is wrong with a part of a value. */
export interface Problem {
  /** The names on the way to it, from the outside in. */
  readonly path: readonly string[];
  readonly message: string;
}

/** A check of values against a JSON schema. @returns what is wrong, as sentences without their end. */
export function checkerOf(schema: object): (value: unknown) => string[] {
  const problems = problemsOf(schema);
  return (value) => problems(value).map(({ path, message }) => [path.join('.'), message].join(' ').trim());
}

/** A check of values against a JSON schema that says where each problem is. */
export function problemsOf(schema: object): (value: unknown) => Problem[] {
  const validate = ajv.compile(schema);
  return (value) => (validate(value) ? [] : (validate.errors ?? []).filter(saysMost).map(problemOf));
}

/** What is wrong with the name of a member is told by an error of its own. */
function saysMost({ keyword }: ErrorObject): boolean {
  return keyword !== 'propertyNames';
}

function problemOf(error: ErrorObject): Problem {
  const { instancePath, keyword, message = 'is wrong', params, propertyName } = error;
  const parents = instancePath
    .split('/')
    .slice(1)
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
  const path = propertyName === undefined ? parents : [...parents, propertyName];
  const given = params as {
    additionalProperty?: string;
    missingProperty?: string;
    allowedValues?: unknown[];
    limit?: number;
    pattern?: string;
  };
  if (given.additionalProperty !== undefined)
    return { path: [...path, given.additionalProperty], message: 'is not a known member' };
  if (given.missingProperty !== undefined)
    return { path: [...path, given.missingProperty], message: 'is missing' };
  if (given.allowedValues !== undefined)
    return { path, message: `must be one of ${given.allowedValues.join(', ')}` };
  return { path, message: sayings[`${keyword} ${String(given.limit ?? given.pattern)}`] ?? message };
}

// What the checker says of these is right, but stilted.
const sayings: Readonly<Record<string, string>> = {
  'minLength 1': 'must not be empty',
  'minItems 1': 'must have at least one entry',
  'minProperties 1': 'must have at least one member',
  [`pattern ${plainName}`]: 'must not begin or end with white space, or hold control characters',
  [`pattern ${withoutNul}`]: 'must not hold NUL',
};
