import { notesOf } from '../record.ts';
import { isDeparture, type Case } from '../timelines.ts';

/** What people were told that they changed is on record, and nothing else by them, unless an answer was lost. */
export function honestCounts(known: Case): string[] {
  const [doing, done] = [notesOf(known, 'doing'), notesOf(known, 'done')];
  return [...new Set(doing.map(({ by }) => by))].flatMap((person) => {
    const told = done.filter(({ by }) => by === person).reduce((sum, { changed }) => sum + changed, 0);
    const isAllAnswered =
      doing.filter(({ by }) => by === person).length === done.filter(({ by }) => by === person).length;
    const real = known.record.filter(
      (event) => event.operation === 'updateWorkItemStatus' && event.by === person && !isDeparture(event),
    ).length;
    if (told === real || (told < real && !isAllAnswered)) return [];
    return [`${person} was told of ${told} changes, and ${real} are on record`];
  });
}
