import type { Schemas } from '@millrace/api';
import { useSuspenseQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Text } from '../page/text.tsx';
import { queuesQuery } from '../queues/queries.ts';
import { m } from './messages.ts';

/** The queues that use a model, as far as the user may see them. */
export function QueuesOf({ model }: { readonly model: Schemas['WorkItemModel'] }) {
  const { data } = useSuspenseQuery(queuesQuery());
  const using = data.list.filter(({ workItemModelId }) => String(workItemModelId) === String(model.id));
  if (using.length === 0) return m.models.noQueues;
  return using.map(({ id, name }, index) => (
    <span key={String(id)}>
      {index > 0 && ', '}
      <Link to="/queues/$id" params={{ id: String(id) }}>
        <Text>{name ?? ''}</Text>
      </Link>
    </span>
  ));
}
