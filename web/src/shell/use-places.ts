import { session } from '../connection/client.ts';
import { useStore } from '../store/store.ts';
import { placesBeyond, placesFor } from './pages.ts';

/** The pages of use to the user. */
export function usePlaces() {
  return placesFor(useGranted());
}

/** The pages that the user lacks a permission for. */
export function usePlacesBeyond() {
  return placesBeyond(useGranted());
}

function useGranted(): readonly string[] {
  const now = useStore(session);
  return now.state === 'none' ? [] : now.user.permissions.map(({ name }) => name);
}
