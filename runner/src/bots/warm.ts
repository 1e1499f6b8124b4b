import { settle } from './answer.ts';
import type { Work, WorkItem } from '../item.ts';
import type { Command } from './command.ts';
import { InputClosed, doItem, startWarmProcess, type WarmProcess } from './warm-process.ts';

/** The limits on the life of a process. */
export interface WarmLimits {
  /** Items that one process does. */
  readonly maxItems: number;
  /** The longest wait for the next item. */
  readonly idleSeconds: number;
}

/** The processes of a warm bot. */
interface Pool {
  readonly limits: WarmLimits;
  /** All living processes. */
  readonly all: Set<WarmProcess>;
  /** Processes that wait for an item; the last one has waited for the shortest time. */
  readonly idle: Map<WarmProcess, NodeJS.Timeout>;
}

/** A bot whose processes do many items each. There are as many processes as there are items at a time. */
export function createWarmBot(command: Command, limits: WarmLimits, note: (text: string) => void) {
  const pool: Pool = { limits, all: new Set(), idle: new Map() };
  return {
    handle: async (item: WorkItem, work: Work) => {
      for (;;) {
        const warm = take(pool) ?? start(pool, command, note);
        try {
          return settle(await doItem(warm, item, work), work);
        } catch (error) {
          if (!(error instanceof InputClosed)) throw error;
        } finally {
          rest(pool, warm);
        }
      }
    },
    end: async () => {
      const ends = [...pool.all].map((warm) => {
        retire(pool, warm);
        return warm.process.ended;
      });
      await Promise.allSettled(ends);
    },
  };
}

function start(pool: Pool, command: Command, note: (text: string) => void): WarmProcess {
  const warm = startWarmProcess(command, note);
  pool.all.add(warm);
  const leave = () => {
    wake(pool, warm);
    pool.all.delete(warm);
  };
  // A process that has closed its stdout answers no more.
  warm.process.stdout.once('end', () => wake(pool, warm));
  warm.process.ended.then(leave, leave);
  return warm;
}

/** The process that waited for the shortest time: the others may then be let go. */
function take(pool: Pool): WarmProcess | undefined {
  // A process that spoke out of turn is being ended.
  const warm = [...pool.idle.keys()].findLast(({ trouble }) => trouble === undefined);
  if (warm !== undefined) wake(pool, warm);
  return warm;
}

/** Lets a process wait for its next item, unless it has reached its limits. */
function rest(pool: Pool, warm: WarmProcess): void {
  const { idle, limits } = pool;
  const { process, trouble, items } = warm;
  if (!pool.all.has(warm)) return;
  const isCut = process.stdout.readableEnded || !process.stdin.writable;
  if (trouble !== undefined || items >= limits.maxItems || isCut) return retire(pool, warm);
  idle.set(
    warm,
    setTimeout(() => retire(pool, warm), limits.idleSeconds * 1000),
  );
}

function wake({ idle }: Pool, warm: WarmProcess): void {
  clearTimeout(idle.get(warm));
  idle.delete(warm);
}

/** Lets a process go: the end of its input tells it to end. */
function retire(pool: Pool, warm: WarmProcess): void {
  const { process, command } = warm;
  wake(pool, warm);
  process.stdin.end();
  const timer = setTimeout(() => process.stop(), command.killGraceSeconds * 1000);
  const forget = () => clearTimeout(timer);
  process.ended.then(forget, forget);
}
