import { session } from '../connection/client.ts';
import { useStore } from '../store/store.ts';
import { placesFor } from './pages.ts';

/** The pages that are of use to the user. */
export function usePlaces() {
  const now = useStore(session);
  return placesFor(now.state === 'none' ? [] : now.user.permissions.map(({ name }) => name));
}
