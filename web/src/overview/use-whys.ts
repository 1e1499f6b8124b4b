import type { Schemas } from '@millrace/api';
import { useQueries } from '@tanstack/react-query';
import { useState } from 'react';
import { whyQuery } from './queries.ts';
import { standsStill } from './rules.ts';

type Stats = Schemas['QueueStats'];

// The queues asked for at once; the next ones follow when these have answered.
const portion = 30;
// The longest waiting ones are asked often, the others now and then.
const calmInterval = 60_000;

/** The reasons of the queues that stand still, the longest waiting first, and of how many of them they are known. */
export function useWhys(stats: readonly Stats[]) {
  const still = stats.filter(standsStill).toSorted((one, other) => ageOf(other) - ageOf(one));
  const [most, setMost] = useState(portion);
  const asked = still.slice(0, most);
  const answers = useQueries({
    queries: asked.map(({ queueId }, index) => ({
      ...whyQuery(queueId),
      ...(index >= portion && { refetchInterval: calmInterval }),
    })),
  });
  const isAnswered = answers.every(({ isPending }) => !isPending);
  if (isAnswered && asked.length < still.length) setMost(most + portion);
  const whys = asked.flatMap((one, index) => {
    const why = answers[index]?.data;
    return why ? [{ stats: one, why }] : [];
  });
  return {
    whys,
    /** Whether each was asked and has answered, or failed to. */
    isAsked: isAnswered && asked.length === still.length,
    known: answers.filter(({ isSuccess }) => isSuccess).length,
    all: still.length,
  };
}

function ageOf({ oldestWaitingSeconds = 0 }: Stats): number {
  return oldestWaitingSeconds;
}
