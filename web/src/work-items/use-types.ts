import type { Schemas } from '@millrace/api';
import { useQuery } from '@tanstack/react-query';
import { modelQuery } from '../queues/queries.ts';
import type { AttributeType } from './values.ts';

/** The attributes of the items of a queue, with their types; those of its columns where the model cannot be seen. */
export function useTypes(queue: Schemas['Queue']): Readonly<Record<string, AttributeType | undefined>> {
  const { data } = useQuery(modelQuery(queue.workItemModelId ?? 0));
  const attributes =
    data?.attributes ?? (queue.displayColumns ?? []).map((name) => ({ name, type: undefined }));
  return Object.fromEntries(attributes.map(({ name, type }) => [name, type]));
}
