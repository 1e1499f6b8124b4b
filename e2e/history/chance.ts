import { createHash } from 'node:crypto';

/** Draws that look random and are the same whenever the name is the same. */
export interface Chance {
  /** A whole number from 0 to below the limit. */
  readonly below: (limit: number) => number;
  /** One of these, each as likely. */
  readonly oneOf: <T>(choices: readonly T[]) => T;
  /** True once in this number of times. */
  readonly once: (inSoMany: number) => boolean;
}

/** @param name of the participant who draws, and the seed: each name is a sequence of its own. */
export function chanceOf(...name: readonly (string | number)[]): Chance {
  let drawn = 0;
  const below = (limit: number) => {
    const text = JSON.stringify([...name, (drawn += 1)]);
    return createHash('sha256').update(text).digest().readUInt32BE() % limit;
  };
  const oneOf = <T>(choices: readonly T[]) => choices[below(choices.length)] as T;
  return { below, oneOf, once: (inSoMany) => below(inSoMany) === 0 };
}
