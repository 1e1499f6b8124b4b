import type { JsonRecord } from './record.ts';
import type { Attribute } from './rules.ts';

/** A model as the items of a queue need it: what it has now, and what its records were like before. */
export interface ModelNames {
  readonly attributes: readonly Attribute[];
  readonly modelVersion: number;
  /** Records of versions before this one have other names. */
  readonly namesSince: number;
}

/** What the attribute was called in a version of its model; undefined when it was not there yet. */
export function nameAt({ name, formerNames = [] }: Attribute, version: number): string | undefined {
  const former = formerNames.find(({ until }) => version < until);
  return former ? former.name : name;
}

/** Whether a record of this version of the model has other names than those of now. */
export function isFormer({ namesSince }: Pick<ModelNames, 'namesSince'>, version: number): boolean {
  return version < namesSince;
}

/**
 * The record with the names of now. What was in an attribute that is gone stays under its name, unless it was nothing or the name
 * is another's now.
 */
export function inPresentNames(model: ModelNames, record: JsonRecord, version: number): JsonRecord {
  if (!isFormer(model, version)) return record;
  const presentNames = new Map(
    model.attributes.flatMap((attribute) => {
      const name = nameAt(attribute, version);
      return name === undefined ? [] : [[name, attribute.name] as const];
    }),
  );
  const taken = new Set(presentNames.values());
  const members = Object.entries(record).flatMap(([name, value]) => {
    const present = presentNames.get(name);
    if (present !== undefined) return [[present, value] as const];
    return value === null || taken.has(name) ? [] : [[name, value] as const];
  });
  return Object.fromEntries(members);
}

/** The attributes under the names that they had in a version of the model; those that were not there yet are missing. */
export function attributesAt(attributes: readonly Attribute[], version: number): Attribute[] {
  return attributes.flatMap((attribute) => {
    const name = nameAt(attribute, version);
    return name === undefined ? [] : [{ ...attribute, name }];
  });
}
