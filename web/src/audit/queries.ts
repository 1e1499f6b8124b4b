import type { Schemas } from '@millrace/api';
import { call } from '../connection/client.ts';
import { query, read } from '../connection/query.ts';
import { requestFor, type Request } from '../connection/request.ts';

export function headQuery() {
  return query('getAuditHead', {});
}

export function loadAudit(): Promise<unknown> {
  return read(headQuery());
}

export function verifyRequest(head: string): Request {
  return requestFor('verifyAudit', { query: head === '' ? {} : { head } });
}

export function retireRequest(): Request {
  return requestFor('rotateSealingKey', {});
}

/** The result of the verification so far. */
export interface Found {
  readonly events: number;
  readonly erased: number;
  readonly seals: Schemas['AuditVerification']['seals'];
  readonly sealsInAll: Schemas['AuditVerification']['sealsInAll'];
  readonly problems: readonly Schemas['AuditProblem'][];
}

const mostProblems = 1000;

/** Verifies the whole trail part by part, and reports the result so far after each. */
export async function verifyAll(
  head: string,
  signal: AbortSignal,
  onPart: (found: Found) => void,
): Promise<void> {
  let found: Found = { events: 0, erased: 0, seals: 0, sealsInAll: 0, problems: [] };
  let after: string | undefined;
  do {
    const from = { ...(after !== undefined && { after }), ...(head !== '' && { head }) };
    const part = await call('verifyAudit', { query: from }, { signal });
    found = {
      events: found.events + part.events,
      erased: found.erased + part.erased,
      seals: part.seals,
      sealsInAll: part.sealsInAll,
      problems: [...found.problems, ...part.problems].slice(0, mostProblems),
    };
    onPart(found);
    after = part.cursor;
  } while (after !== undefined);
}
