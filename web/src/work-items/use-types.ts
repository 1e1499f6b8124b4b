import type { Schemas } from '@millrace/api';
import { useQuery } from '@tanstack/react-query';
import { modelQuery } from '../queues/queries.ts';
import type { AttributeType } from './values.ts';

/** The attributes of a queue's items, with their types; those of its columns where the model is not visible. */
export function useTypes(queue: Schemas['Queue']): Readonly<Record<string, AttributeType | undefined>> {
  const { data } = useQuery(modelQuery(queue.workItemModelId ?? 0));
  const attributes =
    data?.attributes ?? (queue.displayColumns ?? []).map((name) => ({ name, type: undefined }));
  return Object.fromEntries(attributes.map(({ name, type }) => [name, type]));
}
