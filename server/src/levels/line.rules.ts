/** Items at the same place in the line whose clocks began together. Instants are milliseconds. */
export interface Group {
  readonly state: 'RUNNING' | 'READY' | 'LATER';
  /** The time from which they can be claimed; in the past where they can be now. */
  readonly comesOn: number;
  /** The start of their clock. */
  readonly since: number;
  readonly items: number;
}

/** A group of the line, with its due time: Infinity where the promise does not cover it. */
export interface Bound extends Group {
  readonly dueOn: number;
}

/** Most groups of each kind into which a line is combined, as it is walked many times. */
const mostOf = { RUNNING: 50, READY: 300, LATER: 150 } as const;
const states = ['RUNNING', 'READY', 'LATER'] as const;
const minuteMs = 60_000;
/** Items of the line that share one place in it. */
const placeItems = 100;

/**
 * The line in few enough groups to be walked many times. Neighbours that are due at about the same time are combined, and come and are due
 * with the first of them, so that no promise looks better than it is; late ones stay apart from the others.
 */
export function boundedLine(line: readonly Bound[], now: number): readonly Bound[] {
  return states.flatMap((state) => {
    const most = mostOf[state];
    let groups = placed(line.filter((group) => group.state === state));
    for (let grain = 1; groups.length > most; grain *= 2) groups = pooled(groups, grain, now);
    return groups;
  });
}

/** A group, with its place among those of its kind. */
interface Standing extends Bound {
  readonly place: number;
}

function placed(groups: readonly Bound[]): Standing[] {
  let items = 0;
  return groups.map((group) => {
    const before = items;
    items += group.items;
    return { ...group, place: placeOf(group, before) };
  });
}

function placeOf({ state, comesOn }: Bound, itemsBefore: number): number {
  // Running items have no order.
  if (state === 'RUNNING') return 0;
  return state === 'READY' ? itemsBefore / placeItems : comesOn / minuteMs;
}

function pooled(groups: readonly Standing[], grain: number, now: number): Standing[] {
  const pools = new Map<string, Standing>();
  for (const group of groups) {
    const due = group.dueOn < now ? 'late' : Math.floor(group.dueOn / minuteMs / grain);
    const key = `${Math.floor(group.place / grain)} ${due}`;
    const pool = pools.get(key);
    pools.set(key, pool ? joined(pool, group) : group);
  }
  return [...pools.values()];
}

function joined(one: Standing, other: Standing): Standing {
  return {
    ...one,
    comesOn: Math.min(one.comesOn, other.comesOn),
    since: Math.min(one.since, other.since),
    dueOn: Math.min(one.dueOn, other.dueOn),
    items: one.items + other.items,
  };
}
