import type { Id } from '@millrace/api';
import type { Db } from '../db.ts';
import type { ErrorDetail } from '../errors.ts';
import type { Doubt } from '../models/change.rules.ts';
import { inPresentNames, type ModelNames } from '../models/names.ts';
import { recordProblems } from '../models/record.ts';
import { selectDoubtful } from './misfits.sql.ts';

const shownMisfits = 100;
const countedMisfits = 10_000;

/** Open items that would not fit a model, counted up to a limit; the first of them with what is in the way. */
export interface Misfits {
  readonly count: number;
  readonly details: readonly ErrorDetail[];
}

/** Looks through the open items of queues for those that would not fit another version of their model. */
export async function findMisfits(
  db: Db,
  queueIds: readonly Id[],
  { model, doubts }: { model: ModelNames; doubts: readonly Doubt[] },
): Promise<Misfits> {
  let count = 0;
  const details: ErrorDetail[] = [];
  if (doubts.length === 0) return { count, details };
  for (const queueId of queueIds) {
    for await (const { id, json, modelVersion } of doubtfulItems(db, queueId, doubts)) {
      const [problem] = recordProblems(model.attributes, inPresentNames(model, json, modelVersion));
      if (!problem) continue;
      if (details.length < shownMisfits) details.push({ queueId, itemId: id, ...problem });
      count += 1;
      if (count === countedMisfits) return { count, details };
    }
  }
  return { count, details };
}

async function* doubtfulItems(db: Db, queueId: Id, doubts: readonly Doubt[]) {
  // As in readRecords.
  const atOnce = 200;
  let after: Id = 0;
  for (;;) {
    const items = await selectDoubtful(db, queueId, doubts, { after, limit: atOnce });
    yield* items;
    const last = items.at(-1);
    if (!last) return;
    after = last.id;
  }
}
