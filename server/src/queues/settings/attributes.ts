import type { ErrorDetail } from '../../errors.ts';
import type { Attribute } from '../../models/rules.ts';
import { orderOf } from '../rules.ts';
import type { Circumstances, QueueSettings } from './settings.ts';

/** What is wrong with the attributes shown as columns. */
export function columnProblems(
  { displayColumns }: QueueSettings,
  { attributes }: Circumstances,
): ErrorDetail[] {
  return nameListProblems('displayColumns', displayColumns, attributes);
}

/** What is wrong with a member that lists attributes, each of which it may name once. */
export function nameListProblems(
  field: string,
  names: readonly string[],
  attributes: readonly Attribute[],
): ErrorDetail[] {
  return names.flatMap((named, index) => {
    const isKnown = attributes.some(({ name }) => name === named);
    const repeats = names.indexOf(named) < index;
    return referenceProblems(field, { named, isKnown, repeats }, attributes);
  });
}

/** What is wrong with the attributes that order the waiting items. */
export function orderProblems(
  { workItemProcessingOrders: orders }: QueueSettings,
  { attributes }: Circumstances,
) {
  const named = orders.map((order) => orderOf(attributes, order)?.attribute);
  return orders.flatMap((order, index) => {
    const repeats = named.indexOf(named[index]) < index;
    return referenceProblems(
      'workItemProcessingOrders',
      { named: order, isKnown: named[index] !== undefined, repeats },
      attributes,
    );
  });
}

interface Reference {
  readonly named: string;
  readonly isKnown: boolean;
  readonly repeats: boolean;
}

function referenceProblems(
  field: string,
  { named, isKnown, repeats }: Reference,
  attributes: readonly Attribute[],
) {
  const attribute = JSON.stringify(named);
  const known = attributes.map(({ name }) => JSON.stringify(name)).join(', ');
  if (!isKnown)
    return [{ field, message: `names ${attribute}, but the attributes of the model are ${known}` }];
  return repeats ? [{ field, message: `names the attribute of ${attribute} twice` }] : [];
}
