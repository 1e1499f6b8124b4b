import type { Id } from '@millrace/api';
import { Link } from '@tanstack/react-router';
import { m } from './messages.ts';

/** A link from the row of a queue to the reasons why its items start or do not; `w` presses it. */
export function WhyLink({ id }: { readonly id: Id }) {
  return (
    <Link to="/queues/$id/why" params={{ id: String(id) }} data-key="w" title={m.queues.whyKey}>
      {m.queues.why}
    </Link>
  );
}
