import { session } from '../connection/client.ts';
import { useIsRunners } from '../connection/may.ts';
import { useStore } from '../store/store.ts';
import { placesBeyond, placesFor, placesForRunners, type Place } from './pages.ts';

/** The pages of use to the user. */
export function usePlaces(): readonly Place[] {
  const granted = useGranted();
  return useIsRunners() ? placesForRunners(granted) : placesFor(granted);
}

/** The pages that the user lacks a permission for. */
export function usePlacesBeyond(): readonly Place[] {
  return placesBeyond(useGranted());
}

function useGranted(): readonly string[] {
  const now = useStore(session);
  return now.state === 'none' ? [] : now.user.permissions.map(({ name }) => name);
}
