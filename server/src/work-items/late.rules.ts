import { stringifyJson, type Id } from '@millrace/api';
import type { Event } from '../events/sql.ts';
import type { SentReport } from './report.rules.ts';

// Enough to find out what was done. The holder of the item may report all of it, in time.
const keptOutput = 16_384;

/** Evidence: what a former holder says, for whoever has to find out what really happened. */
export function lateEvent({ id, actorId, report }: SentReport & { readonly id: Id }): Event {
  const { logTail: _, output, ...said } = report;
  const text = output === undefined ? '' : stringifyJson(output);
  const isCut = text.length > keptOutput;
  const cut = `; of the ${text.length} characters of its output the first ${keptOutput} are kept`;
  return {
    itemId: id,
    operation: 'lateReport',
    actorId,
    reason: `the reporter did not hold the item${isCut ? cut : ''}`,
    changes: { ...said, ...(isCut ? { outputBeginning: beginning(text) } : { output }) },
  };
}

/** Without the half of a character at its end. */
function beginning(text: string): string {
  return text.slice(0, keptOutput).replace(/[\uD800-\uDBFF]$/u, '');
}
