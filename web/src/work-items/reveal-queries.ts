import type { Schemas } from '@millrace/api';
import { session } from '../connection/client.ts';
import { requestFor, type Request } from '../connection/request.ts';
import { useStore } from '../store/store.ts';
import type { Item } from './queries.ts';

export type Revealed = Schemas['RevealedWorkItem'];

/** Whether the user may see sensitive values. */
export function useMayReveal(): boolean {
  const now = useStore(session);
  return now.state !== 'none' && now.user.permissions.some(({ name }) => name === 'revealSensitive');
}

/** Shows the values of these attributes, which the server records before it answers. */
export function reveal(
  { queueId = 0, id = 0 }: Item,
  attributes: readonly string[],
  reason: string,
): Request {
  const body = { reason, attributes: [...attributes] };
  return requestFor('revealWorkItem', { path: { id: queueId, workItemId: id }, body });
}
