import type { Schemas } from '@millrace/api';
import type { Mark } from '../charts/rules.ts';
import { acts } from '../messages/acts.ts';
import { exactly } from '../page/time.tsx';
import { m } from './messages.ts';

type Event = Schemas['Event'];
type Told = (event: Event) => string | undefined;

const tellers: Readonly<Record<string, Told>> = {
  pauseQueue: ({ changes }) => m.history.paused(textIn(changes, 'until', exactly)),
  resumeQueue: () => m.history.resumed,
  resumeQueues: () => m.history.letGoOn,
  updateWorkItemModel: ({ changes }) => m.history.modelChanged(numberIn(changes, 'modelVersion')),
  createWorkItemsFromFile: ({ changes }) => {
    const [name, created] = [textIn(changes, 'fileName'), numberIn(changes, 'created')];
    // A file that was sent again puts nothing in.
    return created === undefined ? undefined : m.history.uploaded(name ?? '', created);
  },
  undoUpload: ({ changes }) => m.history.undone(numberIn(changes, 'withdrawn') ?? 0),
};

/** The operations on a queue that stand as marks in its charts. */
export const marked = Object.keys(tellers);

/** The changes of a queue, as sentences. */
export function marksOf(events: readonly Event[]): readonly Mark[] {
  return events.flatMap((event) => {
    const did = tellers[event.operation]?.(event);
    if (did === undefined) return [];
    const text = m.history.sentence(acts.actor(event), did, event.reason ?? '');
    return [{ on: new Date(event.on), text }];
  });
}

function textIn(changes: Event['changes'], name: string, written = (text: string) => text) {
  const value = changes?.[name];
  return typeof value === 'string' ? written(value) : undefined;
}

function numberIn(changes: Event['changes'], name: string): number | undefined {
  const value = changes?.[name];
  return typeof value === 'number' || typeof value === 'bigint' ? Number(value) : undefined;
}
