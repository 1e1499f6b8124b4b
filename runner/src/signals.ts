/** The signals that stop a runner. */
export interface Stop {
  /** In good order. */
  readonly drain: AbortSignal;
  /** At once. */
  readonly kill: AbortSignal;
  /** Stops in good order, from within. */
  readonly end: () => void;
  /** Stops listening to the signals of the process, and to the given ones. */
  readonly dispose: () => void;
}

const processSignals = ['SIGTERM', 'SIGINT'] as const;

/** Stops at the given signals; without the first, at SIGTERM and SIGINT: once to drain, twice to stop at once. */
export function createStop(givenDrain: AbortSignal | undefined, givenKill: AbortSignal | undefined): Stop {
  const drain = new AbortController();
  const kill = new AbortController();
  const end = () => drain.abort();
  const killAll = () => {
    kill.abort();
    end();
  };
  const hear = () => (drain.signal.aborted ? killAll() : end());
  if (givenDrain === undefined) for (const name of processSignals) process.on(name, hear);
  const forget = [follow(givenDrain, end), follow(givenKill, killAll)];
  const dispose = () => {
    for (const name of processSignals) process.off(name, hear);
    for (const leave of forget) leave();
  };
  return { drain: drain.signal, kill: kill.signal, end, dispose };
}

function follow(signal: AbortSignal | undefined, act: () => void): () => void {
  if (signal?.aborted === true) act();
  signal?.addEventListener('abort', act, { once: true });
  return () => signal?.removeEventListener('abort', act);
}
