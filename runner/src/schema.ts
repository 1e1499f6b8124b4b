import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';

const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true });

/** Names that can be told apart by eye, as the server wants them. */
export const plainName = '^(?!\\s)[^\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}\\p{Default_Ignorable_Code_Point}]*(?<!\\s)$';
/** Texts that the operating system takes in a command and its environment. */
export const withoutNul = '^[^\\0]*$';

/** A problem with a part of a value. */
export interface Problem {
  /** The names on the way to it, from the outside in. */
  readonly path: readonly string[];
  readonly message: string;
}

/** A check of values against a JSON schema. @returns the problems, as sentences without their end. */
export function checkerOf(schema: object): (value: unknown) => string[] {
  const problems = problemsOf(schema);
  return (value) => problems(value).map(({ path, message }) => [path.join('.'), message].join(' ').trim());
}

/** A check of values against a JSON schema that returns each problem with its place. */
export function problemsOf(schema: object): (value: unknown) => Problem[] {
  const validate = ajv.compile(schema);
  return (value) => (validate(value) ? [] : (validate.errors ?? []).filter(saysMost).map(problemOf));
}

/** A wrong name of a member has an error of its own besides this one. */
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

// Plainer words for messages of the checker.
const sayings: Readonly<Record<string, string>> = {
  'minLength 1': 'must not be empty',
  'minItems 1': 'must have at least one entry',
  'minProperties 1': 'must have at least one member',
  [`pattern ${plainName}`]: 'must not begin or end with white space, or hold control or invisible characters',
  [`pattern ${withoutNul}`]: 'must not hold NUL',
};
