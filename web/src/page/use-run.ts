import { useEffect, useRef, useState } from 'react';

/** A long action: it can be stopped, stops when its component goes, and is not begun again while it runs. */
export function useRun() {
  const [isRunning, setRunning] = useState(false);
  const [problem, setProblem] = useState('');
  const ending = useRef<AbortController>(undefined);
  useEffect(() => () => ending.current?.abort(), []);
  const run = (work: (signal: AbortSignal) => Promise<void>) => {
    if (isRunning) return;
    const controller = new AbortController();
    ending.current = controller;
    setRunning(true);
    setProblem('');
    work(controller.signal)
      .catch((error: unknown) => {
        if (!controller.signal.aborted) setProblem(error instanceof Error ? error.message : String(error));
      })
      .finally(() => setRunning(false));
  };
  return { run, stop: () => ending.current?.abort(), isRunning, problem };
}
