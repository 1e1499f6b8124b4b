import { notesOf, type Happening } from '../record.ts';
import { isCancel, isPass, isReport, meanwhile, transitionOf, type Case } from '../timelines.ts';

/**
 * An item past its point of no return is not granted again: its holder reports the outcome, or it is in doubt; and
 * from there it comes back only when a person has answered NOT_DONE.
 */
export function nothingTwice(known: Case): string[] {
  const answers = new Set(
    notesOf(known, 'answering')
      .filter(({ answer }) => answer === 'NOT_DONE')
      .map(({ id, version }) => `${id} ${version}`),
  );
  return [...known.changes].flatMap(([id, changes]) =>
    changes.flatMap((change, index) => {
      const before = index > 0 && { id, version: index - 1 };
      const isPassed = before && meanwhile(known, before).some(isPass);
      if (isPassed && !isSettled(change)) return [`item ${id} was past return, and ${changeInWords(change)}`];
      const wasUnresolved = index > 0 && transitionOf(changes[index - 1] as Happening) === 'doubt';
      if (!wasUnresolved || change.to === undefined) return [];
      const isAnswered = change.to !== 'NEW' || answers.has(`${id} ${index - 1}`);
      const isAnswer = change.operation === 'resolveWorkItem' && isAnswered;
      return isAnswer ? [] : [`item ${id} was in doubt, and ${changeInWords(change)} without an answer`];
    }),
  );
}

/** Done, or not for a reason that the holder knows, or in doubt. */
function isSettled(change: Happening): boolean {
  if (transitionOf(change) === 'doubt')
    return change.changes?.['failureKind'] === 'IN_DOUBT' || !isReport(change);
  return isReport(change) && (change.to === 'COMPLETE' || change.changes?.['failureKind'] === 'BUSINESS');
}

function changeInWords({ operation, to }: Happening): string {
  return `${operation} made it ${to ?? 'nothing'}`;
}

/** A holder who was told that the point is passed can rely on it. */
export function keptPasses(known: Case): string[] {
  return notesOf(known, 'passed')
    .filter((grant) => !meanwhile(known, grant).some(isPass))
    .map(
      ({ id, version }) =>
        `item ${id} was told to be past return at version ${version}, and is not on record`,
    );
}

/** A cancelled item ends: done after all, or failed; and it does not pass the point of no return any more. */
export function lastingCancels(known: Case): string[] {
  return [...known.events].flatMap(([id, events]) => {
    const cancels = events.filter(isCancel);
    return cancels.flatMap((cancel) => {
      const after = events.slice(events.indexOf(cancel) + 1);
      const end = after.find(({ from, to }) => from === 'IN_PROGRESS' && to !== 'IN_PROGRESS');
      const isLate = after.slice(0, end && after.indexOf(end)).some(isPass);
      if (isLate) return [`item ${id} was cancelled, and passed the point of no return`];
      const isOver = !end || end.to === 'COMPLETE' || end.to === 'FAILED';
      return isOver ? [] : [`item ${id} was cancelled, and ${changeInWords(end)}`];
    });
  });
}
