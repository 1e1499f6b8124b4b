import { setTimeout as pause } from 'node:timers/promises';
import { stringifyJson } from '@millrace/api';
import { startDemoServer } from './server.ts';
import type { DemoServer, Ending, Host, Story, Terminal, Undo } from './stage.ts';

export interface PlayFlags {
  /** Leave the server running at the end, until somebody has looked around. */
  readonly keep?: boolean;
  /** Print the outcome as JSON. */
  readonly json?: boolean;
}

class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

const interruptions = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
// One Ctrl-C can arrive twice, from the terminal and from npm; a person who means it again takes longer.
const repeatMs = 1000;

/**
 * Plays a story on a server of its own and leaves nothing behind, even when it is interrupted.
 * @returns whether it was told to its end.
 * @throws Error when something happened that never must.
 */
export async function play(story: Story, host: Host, flags: PlayFlags): Promise<boolean> {
  const { terminal } = host;
  const stop = new AbortController();
  const { signal } = stop;
  const leave = hearInterruptions(terminal, stop);
  const undos: Undo[] = [];
  const atEnd = (undo: Undo) => void undos.push(undo);
  try {
    terminal.say('Starting a server on a fresh PostgreSQL ...');
    const server = await untilAborted(startDemoServer(host, { signal, atEnd }), signal);
    const ending = await untilAborted(story({ ...host, server, signal, atEnd }), signal);
    report(terminal, ending, flags);
    if (flags.keep === true) await lookAround(terminal, server, signal);
    return true;
  } catch (error) {
    if (error instanceof Interrupted) return false;
    throw error;
  } finally {
    await undoAll(undos);
    leave();
  }
}

function report({ out }: Terminal, { text, record, wrongs }: Ending, { json }: PlayFlags): void {
  out(json === true ? stringifyJson(record) : `\n${text}`);
  if (wrongs.length > 0) throw new Error(`${wrongs.join(' ')} That must never be.`);
}

/** Undoes the latest first, and everything even if something cannot be undone. */
async function undoAll(undos: readonly Undo[]): Promise<void> {
  const failures: unknown[] = [];
  for (const undo of undos.toReversed()) {
    try {
      await undo();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0)
    throw new AggregateError(failures, `Something was left behind: ${failures.join(' ')}`);
}

/** Ends with the work, or without it when the signal is aborted. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const over = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    const options = { once: true, signal: over.signal };
    signal.addEventListener('abort', () => reject(new Interrupted()), options);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    over.abort();
  }
}

async function lookAround({ say }: Terminal, { url, password }: DemoServer, signal: AbortSignal) {
  say(
    `\nThe server is still there: ${url}/docs, user admin, password ${password}. Ctrl-C stops it and removes its data.`,
  );
  await pause(2 ** 31 - 1, undefined, { signal }).catch(() => undefined);
}

/**
 * The first signal ends in good order, a later Ctrl-C at once; started processes end with this one. SIGTERM may follow Ctrl-C by itself:
 * npm gets that too, ends first, and takes this process with it.
 */
function hearInterruptions({ say }: Terminal, stop: AbortController): () => void {
  let firstOn: number | undefined;
  const hear = (signal: NodeJS.Signals) => {
    if (signal === 'SIGINT' && firstOn !== undefined && Date.now() - firstOn > repeatMs) process.exit(130);
    if (firstOn !== undefined) return;
    firstOn = Date.now();
    stop.abort();
    say('\nStopping what was started ...');
  };
  for (const name of interruptions) process.on(name, hear);
  return () => {
    for (const name of interruptions) process.off(name, hear);
  };
}
