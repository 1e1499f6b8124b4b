import type { Schemas } from '@millrace/api';

type Queue = Schemas['Queue'];
type Stats = Schemas['QueueStats'];

/** The choice of queues in a list. */
export type State = 'active' | 'paused' | 'mine' | 'archived' | 'failures';

export interface Wanted {
  /** A part of their names. */
  readonly text: string;
  readonly state?: State | undefined;
  /** The id of their model. */
  readonly model?: string | undefined;
  readonly pinned: readonly string[];
}

/** The wanted queues, pinned ones first and otherwise in their order. @param figures by the ids of queues */
export function wantedOf(
  queues: readonly Queue[],
  figures: ReadonlyMap<string, Stats>,
  { text, state, model, pinned }: Wanted,
): Queue[] {
  const isPinned = ({ id }: Queue) => pinned.includes(String(id));
  const found = queues.filter(
    (queue) =>
      (queue.name ?? '').toLowerCase().includes(text.toLowerCase()) &&
      (model === undefined || String(queue.workItemModelId) === model) &&
      (state === undefined || isIn(state, queue, figures.get(String(queue.id)))),
  );
  return [...found.filter(isPinned), ...found.filter((queue) => !isPinned(queue))];
}

function isIn(state: State, { archived, status, memberships }: Queue, figures: Stats | undefined): boolean {
  if (state === 'mine') return memberships?.includes('OWNER') === true;
  if (state === 'archived') return archived === true;
  if (state === 'failures') return (figures?.counts.FAILED ?? 0) > 0;
  return !archived && status === (state === 'active' ? 'ACTIVE' : 'INACTIVE');
}

/** The percentage of recently finished items that failed; undefined where none was finished. */
export function failedPercent({ recent: { complete, failed } }: Stats): number | undefined {
  return complete + failed === 0 ? undefined : (failed / (complete + failed)) * 100;
}

/** An action on a queue from its row in the list. */
export type RowAction = 'pause' | 'resume' | 'upload' | 'archive' | 'restore';

/** The actions that a queue in its state allows. */
export function actionsOn({ status, archived }: Queue): readonly RowAction[] {
  return archived ? ['restore'] : [status === 'INACTIVE' ? 'resume' : 'pause', 'upload', 'archive'];
}

/** Whether the caller may do it in the queue. */
export function mayDo(action: RowAction, { capabilities = [] }: Queue): boolean {
  return capabilities.includes(action === 'upload' ? 'add' : 'edit');
}

/** The pins, with one set or removed. */
export function pinnedAfter(pinned: readonly string[], id: string): string[] {
  return pinned.includes(id) ? pinned.filter((one) => one !== id) : [...pinned, id];
}
