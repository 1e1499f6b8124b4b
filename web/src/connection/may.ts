import { useStore } from '../store/store.ts';
import { session, type Session } from './client.ts';

/** Whether the user has any of these permissions. */
export function useMay(...permissions: readonly string[]): boolean {
  const now = useStore(session);
  return now.state !== 'none' && now.user.permissions.some(({ name }) => permissions.includes(name));
}

const ofRunners: ReadonlySet<string> = new Set(['useQueues', 'runDevice', 'generateApiKey']);

/** Whether an account is there for runners: it may run devices, and nothing that only people do. */
export function isRunners(now: Session): boolean {
  if (now.state === 'none') return false;
  const names = now.user.permissions.map(({ name }) => name);
  return names.includes('runDevice') && names.every((name) => ofRunners.has(name));
}

export function useIsRunners(): boolean {
  return isRunners(useStore(session));
}
