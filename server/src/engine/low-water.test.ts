import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import {
  firstPlaces,
  LowWaterMarks,
  markAfterArrival,
  markAfterLook,
  type Found,
  type Mark,
  type Place,
} from './low-water.ts';

const queueId = 1;
// The longest life of a mark.
const lookPeriodMs = 5000;

interface Item extends Place {
  state: 'ready' | 'held' | 'taken';
}

interface Look {
  readonly take: () => unknown;
  readonly end: (isUndone: boolean) => Promise<unknown>;
}

/** A queue, and servers that look at its items while they come and go. */
class Queue {
  readonly items: Item[] = [];
  readonly servers = [new LowWaterMarks(() => undefined), new LowWaterMarks(() => undefined)];
  readonly untold: { readonly server: number; readonly item: Item }[] = [];
  readonly looks: Look[] = [];

  commit(server: number, key: number): void {
    const item: Item = { sortKey: Buffer.from([key]), id: this.items.length + 1, state: 'ready' };
    this.items.push(item);
    this.untold.push({ server, item });
  }

  tell(): void {
    const { server, item } = this.untold.shift() ?? {};
    if (item) this.servers[server ?? 0]?.arrive(queueId, [item]);
  }

  /** Begins a look for this number of items, which takes them in a second step, and ends in a third. */
  look(server: number, count: number): void {
    let settle = (_: Error | Found) => undefined as void;
    const answered = new Promise<Found>((resolve, reject) => {
      settle = (outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome));
    });
    let start: Pick<Mark, 'from' | 'below'> | undefined;
    const done = this.servers[server]?.look(queueId, async (mark) => {
      start = mark;
      return [undefined, await answered] as const;
    });
    let took: { readonly items: Item[]; readonly found: Found } | undefined;
    const take = () => (took ??= start && this.#take(start, count));
    const end = async (isUndone: boolean) => {
      take();
      for (const item of took?.items ?? []) item.state = isUndone ? 'ready' : 'taken';
      settle(isUndone || !took ? new Error('undone') : took.found);
      await done?.catch(() => undefined);
    };
    this.looks.push({ take, end });
  }

  #take({ from, below }: Pick<Mark, 'from' | 'below'>, count: number) {
    const known = this.#ready().filter((item) => compare(item, from) < 0 && below.includes(item.id));
    const ready = this.#ready().filter((item) => compare(item, from) >= 0);
    const items = [...known, ...ready].slice(0, count);
    for (const item of items) item.state = 'held';
    const first = ready.find(({ state }) => state === 'held');
    return { items, found: { first, taken: items.map(({ id }) => id), passed: 1000 } };
  }

  /** The items that the server finds now, one for each look. */
  async drain(server: number): Promise<number[]> {
    const before = this.items.filter(({ state }) => state === 'taken');
    const order: number[] = [];
    for (;;) {
      this.look(server, 1);
      const look = this.looks.pop();
      look?.take();
      const held = this.items.find(({ state }) => state === 'held');
      await look?.end(false);
      if (!held) break;
      order.push(Number(held.id));
    }
    expect(this.items.filter(({ state }) => state === 'taken')).toHaveLength(before.length + order.length);
    return order;
  }

  waiting(): number[] {
    return this.#ready().map(({ id }) => Number(id));
  }

  #ready(): Item[] {
    return this.items.filter(({ state }) => state === 'ready').toSorted(compare);
  }
}

function compare(one: Place, other: Place): number {
  return Buffer.compare(one.sortKey, other.sortKey) || Number(one.id) - Number(other.id);
}

type Step =
  | { readonly kind: 'commit'; readonly server: number; readonly key: number }
  | { readonly kind: 'tell' }
  | { readonly kind: 'look'; readonly server: number; readonly count: number }
  | { readonly kind: 'take'; readonly look: number }
  | { readonly kind: 'end'; readonly look: number; readonly isUndone: boolean };

const server = (servers: number) => fc.nat({ max: servers - 1 });
const steps = (servers: number, mayUndo: boolean): fc.Arbitrary<Step[]> =>
  fc.array(
    fc.oneof(
      fc.record({ kind: fc.constant('commit' as const), server: server(servers), key: fc.nat({ max: 9 }) }),
      fc.record({ kind: fc.constant('tell' as const) }),
      fc.record({
        kind: fc.constant('look' as const),
        server: server(servers),
        count: fc.integer({ min: 1, max: 3 }),
      }),
      fc.record({ kind: fc.constant('take' as const), look: fc.nat({ max: 3 }) }),
      fc.record({
        kind: fc.constant('end' as const),
        look: fc.nat({ max: 3 }),
        isUndone: mayUndo ? fc.boolean() : fc.constant(false),
      }),
    ),
    { maxLength: 60 },
  );

async function play(queue: Queue, all: readonly Step[]): Promise<void> {
  for (const step of all) {
    if (step.kind === 'commit') queue.commit(step.server, step.key);
    else if (step.kind === 'tell') queue.tell();
    else if (step.kind === 'look') queue.look(step.server, step.count);
    else if (step.kind === 'take') queue.looks[step.look]?.take();
    else await queue.looks.splice(step.look, 1)[0]?.end(step.isUndone);
  }
  for (const look of queue.looks.splice(0)) await look.end(false);
  while (queue.untold.length > 0) queue.tell();
}

test('A server that is told of all that becomes claimable finds all of it in order, whenever its looks overlap', async () => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout'] });
  await fc.assert(
    fc.asyncProperty(steps(1, false), async (all) => {
      const queue = new Queue();
      await play(queue, all);
      const waiting = queue.waiting();
      expect(await queue.drain(0)).toEqual(waiting);
    }),
    { numRuns: 500 },
  );
});

test('Each of two servers finds all that waits within five seconds, whatever the other does and whatever is undone', async () => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout'] });
  await fc.assert(
    fc.asyncProperty(steps(2, true), server(2), async (all, one) => {
      const queue = new Queue();
      await play(queue, all);
      vi.advanceTimersByTime(lookPeriodMs);
      const waiting = queue.waiting();
      expect(await queue.drain(one)).toEqual(waiting);
    }),
    { numRuns: 300 },
  );
});

test('A mark that knows of too many items below it ends', async () => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout'] });
  const queue = new Queue();
  for (let count = 0; count < 3; count += 1) queue.commit(0, 200);
  await play(queue, [
    { kind: 'look', server: 0, count: 1 },
    { kind: 'take', look: 0 },
    { kind: 'end', look: 0, isUndone: false },
  ]);
  for (let count = 0; count < 300; count += 1) queue.commit(0, count % 100);
  await play(queue, []);
  const lookUps: number[] = [];
  await queue.servers[0]?.look(queueId, ({ below }) => {
    lookUps.push(below.length);
    return Promise.resolve([undefined, { first: undefined, taken: [], passed: 0 }] as const);
  });
  expect(lookUps).toEqual([0]);
  expect(await queue.drain(0)).toEqual(
    queue.items
      .filter(({ id }) => id !== 1)
      .toSorted(compare)
      .map(({ id }) => id),
  );
});

test('Of very many items that become claimable at once, the first tell a mark as much as all of them', () => {
  const all = Array.from({ length: 12_000 }, (_, index): Place => {
    return { sortKey: Buffer.from([(index * 7919) % 251, index % 256]), id: index + 1 };
  });
  const inOrder = all.toSorted(compare);
  const first = firstPlaces([...all]);
  const ids = (found: Mark | undefined) => found && new Set(found.below);
  expect(first.length).toBeLessThan(all.length);
  for (const below of [0, 1, 99, 100, 101, 4000, 11_999]) {
    const mark: Mark = { from: inOrder[below] as Place, below: [], until: 1 };
    expect(ids(markAfterArrival(mark, first))).toEqual(ids(markAfterArrival(mark, all)));
    for (const count of [0, 5, 1000, 2999]) {
      const taken = inOrder.slice(0, count).map(({ id }) => id);
      const look = { mark, first: inOrder[below], taken, passed: 0 };
      expect(ids(markAfterLook(mark, { ...look, arrived: first }, 0))).toEqual(
        ids(markAfterLook(mark, { ...look, arrived: all }, 0)),
      );
    }
  }
});

test('A mark wakes calls that wait when it ends, and none comes where looks from the start are short', async () => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout'] });
  const woken: unknown[] = [];
  const marks = new LowWaterMarks((id) => woken.push(id));
  const first = { sortKey: Buffer.from([5]), id: 9 };
  const look = (passed: number) => {
    let from: Place | undefined;
    return marks
      .look(queueId, (start) => {
        from = start.from;
        return Promise.resolve([undefined, { first, taken: [], passed }] as const);
      })
      .then(() => from?.id);
  };
  expect([await look(99), await look(99), await look(300_000), await look(0)]).toEqual([0, 0, 0, 9]);
  vi.advanceTimersByTime(2999);
  expect([woken, await look(0)]).toEqual([[], 9]);
  vi.advanceTimersByTime(1);
  expect([woken, await look(0), await look(0)]).toEqual([[queueId], 0, 0]);
});

test('a look that was undone hides nothing, once its mark is forgotten', async () => {
  const marks = new LowWaterMarks(() => undefined);
  const [low, high] = [2, 5].map((key) => ({ sortKey: Buffer.from([key]), id: key }));
  const starts: Pick<Mark, 'from' | 'below'>[] = [];
  const look = (taken: number[]) =>
    marks.look(queueId, (start) => {
      starts.push(start);
      return Promise.resolve([undefined, { first: high, taken, passed: 1000 }] as const);
    });
  await look([]);
  marks.arrive(queueId, low ? [low] : []);
  await look([2]);
  marks.forget(queueId);
  await look([2]);
  expect(starts.map(({ from, below }) => [from.id, below])).toEqual([
    [0, []],
    [5, [2]],
    [0, []],
  ]);
});
