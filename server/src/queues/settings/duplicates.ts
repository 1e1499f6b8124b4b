import type { ErrorDetail } from '../../errors.ts';
import { nameListProblems } from './attributes.ts';
import { problemsIn } from './problems.ts';
import type { Circumstances, QueueSettings } from './settings.ts';

/** What is wrong with the attributes that make two items duplicates. */
export function duplicateProblems(
  { disallowDuplicate, uniqueBy }: QueueSettings,
  current: QueueSettings | undefined,
  { attributes }: Circumstances,
): ErrorDetail[] {
  // They stay when duplicates are allowed for a while; asking for them alone would look like protection and be none.
  const isIdle = !disallowDuplicate && uniqueBy.length > 0 && !isSameList(uniqueBy, current?.uniqueBy);
  return [
    ...nameListProblems('uniqueBy', uniqueBy, attributes),
    ...problemsIn([['uniqueBy', isIdle && 'has no effect without disallowDuplicate: true']]),
  ];
}

/** Whether items of the queue have to be compared anew: their hashes are none, or of other attributes or items. */
export function comparesAnew(before: QueueSettings, after: QueueSettings): boolean {
  if (!after.disallowDuplicate) return false;
  return (
    !before.disallowDuplicate ||
    before.duplicateScope !== after.duplicateScope ||
    !isSameList(before.uniqueBy, after.uniqueBy)
  );
}

function isSameList(one: readonly string[], other: readonly string[] | undefined): boolean {
  return one.length === other?.length && one.every((name, index) => name === other[index]);
}
