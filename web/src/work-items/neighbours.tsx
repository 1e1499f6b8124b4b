import { useNavigate } from '@tanstack/react-router';
import { ChevronLeft, ChevronRight } from 'lucide-react';
import { Button } from 'react-aria-components';
import { useKey } from '../page/keys.ts';
import { useStore } from '../store/store.ts';
import { m } from './messages.ts';
import { neighbours, walk } from './walk.ts';

interface Props {
  readonly queueId: string;
  readonly workItemId: string;
}

/** The items before and behind this one in the list that it was opened from; `[` and `]` go there too. */
export function Neighbours({ queueId, workItemId }: Props) {
  const navigate = useNavigate();
  const { before, behind } = neighbours(useStore(walk), queueId, workItemId);
  const go = (id: string | undefined) =>
    id !== undefined &&
    void navigate({ to: '/queues/$id/workitems/$workItemId', params: { id: queueId, workItemId: id } });
  useKey('[', () => go(before));
  useKey(']', () => go(behind));
  if (before === undefined && behind === undefined) return undefined;
  return (
    <span role="group" aria-label={m.item.walk}>
      <Button
        className="icon"
        aria-label={m.item.before}
        isDisabled={before === undefined}
        onPress={() => go(before)}
      >
        <ChevronLeft size={17} aria-hidden="true" />
      </Button>
      <Button
        className="icon"
        aria-label={m.item.behind}
        isDisabled={behind === undefined}
        onPress={() => go(behind)}
      >
        <ChevronRight size={17} aria-hidden="true" />
      </Button>
    </span>
  );
}
