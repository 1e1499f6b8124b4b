import type { Id } from '@millrace/api';
import { Refusal } from '../../errors.ts';
import { orderOf } from '../rules.ts';
import type { Attribute } from '../../models/rules.ts';

/** The settings of a queue that name attributes of its model. */
export interface NamingSettings {
  readonly displayColumns: readonly string[];
  readonly workItemProcessingOrders: readonly string[];
  readonly uniqueBy: readonly string[];
}

/**
 * The settings under the names that the attributes of the model will have.
 * @throws Refusal IN_USE when one of them names an attribute that there will not be
 */
export function renamedSettings(
  queueId: Id,
  settings: NamingSettings,
  before: readonly Attribute[],
  after: readonly Attribute[],
): NamingSettings {
  const rename = (field: keyof NamingSettings, attribute: Attribute | undefined, said: string) => {
    const renamed = after.find(({ id }) => id === attribute?.id);
    if (!attribute || !renamed) throw stillNamed(queueId, field, said);
    return renamed;
  };
  const byName = (field: keyof NamingSettings) => (said: string) =>
    rename(
      field,
      before.find(({ name }) => name === said),
      said,
    ).name;
  return {
    displayColumns: settings.displayColumns.map(byName('displayColumns')),
    uniqueBy: settings.uniqueBy.map(byName('uniqueBy')),
    workItemProcessingOrders: settings.workItemProcessingOrders.map((said) => {
      const { attribute, isDescending = false } = orderOf(before, said) ?? {};
      const { id, name } = rename('workItemProcessingOrders', attribute, said);
      const order = isDescending ? `-${name}` : name;
      if (orderOf(after, order)?.attribute.id !== id) throw ambiguous(queueId, order);
      return order;
    }),
  };
}

function stillNamed(queueId: Id, field: string, said: string): Refusal {
  const message = `names ${JSON.stringify(said)}`;
  return new Refusal(
    'IN_USE',
    `${field} of queue ${queueId} ${message}, which the model would not have any more. Change the queue first.`,
    { details: [{ field, message }] },
  );
}

/** A leading `-` means descending, unless an attribute is named so. */
function ambiguous(queueId: Id, order: string): Refusal {
  return new Refusal(
    'IN_USE',
    `workItemProcessingOrders of queue ${queueId} could not say ${JSON.stringify(order)} any more: an attribute would be named so. ` +
      'Choose another name.',
  );
}
