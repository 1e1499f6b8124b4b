import { parseJson, stringifyJson, type Id, type Schemas } from '@millrace/api';
import { useEffect, useState } from 'react';
import { tryBulk, type Target } from './bulk-queries.ts';
import type { BulkStep } from './bulk-rules.ts';

interface Tried {
  readonly of: string;
  readonly trial?: Schemas['BulkOutcome'];
  readonly problem?: string;
}

const pauseMs = 300;

/** The effect of an action, counted anew whenever the input changes; nothing while that is incomplete. */
export function useTrial(queueId: Id, step: BulkStep | undefined, target: Target) {
  const [tried, setTried] = useState<Tried>();
  // Each render makes another object with the same content.
  const wanted = step && stringifyJson(step);
  useEffect(() => {
    if (wanted === undefined) return undefined;
    const asked = parseJson(wanted) as BulkStep;
    const leaving = new AbortController();
    const ask = async () => {
      const found = await tryBulk(queueId, asked, target, leaving.signal).then(
        (trial) => ({ of: wanted, trial }),
        (error: Error) => ({ of: wanted, problem: error.message }),
      );
      if (!leaving.signal.aborted) setTried(found);
    };
    const timer = setTimeout(() => void ask(), pauseMs);
    return () => {
      clearTimeout(timer);
      leaving.abort();
    };
  }, [queueId, wanted, target]);
  const isOfThis = wanted !== undefined && tried?.of === wanted;
  return { ...(isOfThis && tried), isTrying: !isOfThis } as Partial<Tried> & { isTrying: boolean };
}
