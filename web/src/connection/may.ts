import { useStore } from '../store/store.ts';
import { session } from './client.ts';

/** Whether the user has any of these permissions. */
export function useMay(...permissions: readonly string[]): boolean {
  const now = useStore(session);
  return now.state !== 'none' && now.user.permissions.some(({ name }) => permissions.includes(name));
}
