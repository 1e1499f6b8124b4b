/** Items that come in the same moment of the line, and whose clocks began together. Instants are milliseconds. */
export interface Group {
  readonly state: 'RUNNING' | 'READY' | 'LATER';
  /** When they can be claimed; that is over where they can be now. */
  readonly comesOn: number;
  /** When their clock began. */
  readonly since: number;
  readonly items: number;
}

/** A group of the line, and when it is due: never, where the promise is not about it. */
export interface Bound extends Group {
  readonly dueOn: number;
}

/** Groups of each kind that a line is counted in: it is gone through many times. */
const mostOf = { RUNNING: 50, READY: 300, LATER: 150 } as const;
const states = ['RUNNING', 'READY', 'LATER'] as const;
const minuteMs = 60_000;
/** Items of the line in one place of it. */
const placeItems = 100;

/**
 * The line in no more groups than can be counted many times. Neighbours that are due about the same time become one, which comes and is due
 * with the first of them, so that no promise looks better than it is; those that are late stay apart from those that are not.
 */
export function boundedLine(line: readonly Bound[], now: number): readonly Bound[] {
  return states.flatMap((state) => {
    const most = mostOf[state];
    let groups = placed(line.filter((group) => group.state === state));
    for (let grain = 1; groups.length > most; grain *= 2) groups = pooled(groups, grain, now);
    return groups;
  });
}

/** A group, and where it stands among those of its kind. */
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
  // Those at work are in no order.
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
