/** The number of items that a runner may work on at once. */
export interface Slots {
  free: number;
  readonly onFree: Set<() => void>;
}

export function createSlots(free: number): Slots {
  return { free, onFree: new Set() };
}

export function releaseSlot(slots: Slots): void {
  slots.free += 1;
  for (const resolve of slots.onFree) resolve();
  slots.onFree.clear();
}

/** Resolves when a slot is free, or the signal is aborted. */
export async function slotFree({ free, onFree }: Slots, signal: AbortSignal): Promise<void> {
  if (free > 0 || signal.aborted) return;
  await new Promise<void>((resolve) => {
    const wake = () => {
      signal.removeEventListener('abort', wake);
      onFree.delete(wake);
      resolve();
    };
    onFree.add(wake);
    signal.addEventListener('abort', wake);
  });
}
