import type { Schemas } from '@millrace/api';
import { m } from './messages.ts';
import { Text } from './text.tsx';

interface Props {
  readonly queue: Schemas['Queue'];
  /** The people who may. */
  readonly children: string;
}

/** Why something in a queue is disabled: who may do it, what one is there oneself, and whom to ask. */
export function MayNot({ queue: { memberships = [], ownerNames = [] }, children }: Props) {
  return (
    <small className="soft">
      {children} <Text>{m.page.standing(memberships, ownerNames)}</Text>
    </small>
  );
}
