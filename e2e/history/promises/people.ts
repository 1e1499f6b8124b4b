import { notesOf } from '../record.ts';
import { isDeparture, type Case } from '../timelines.ts';

/** The changes that people were told of are on record, and no others by them, unless an answer was lost. */
export function honestCounts(known: Case): string[] {
  const [doing, done] = [notesOf(known, 'doing'), notesOf(known, 'done')];
  return [...new Set(doing.map(({ by }) => by))].flatMap((person) => {
    const answered = done.filter(({ by }) => by === person).reduce((sum, { changed }) => sum + changed, 0);
    const isAllAnswered =
      doing.filter(({ by }) => by === person).length === done.filter(({ by }) => by === person).length;
    const real = known.record.filter(
      (event) => event.operation === 'updateWorkItemStatus' && event.by === person && !isDeparture(event),
    ).length;
    if (answered === real || (answered < real && !isAllAnswered)) return [];
    return [`${person} was told of ${answered} changes, and ${real} are on record`];
  });
}

/** Nobody does anything without the right, whoever else calls the same operation at the same moment. */
export function keptRights(known: Case): string[] {
  const { strangerIds } = known.stage;
  const answered = notesOf(known, 'let').map(
    ({ by, operation }) => `${by} may not call ${operation}, and was answered`,
  );
  const happened = known.record
    .filter(({ by, queueId }) => queueId !== undefined && strangerIds.includes(by))
    .map(
      ({ by, operation, queueId }) => `${by} is a stranger to queue ${queueId}, where ${operation} is theirs`,
    );
  return [...answered, ...happened];
}
