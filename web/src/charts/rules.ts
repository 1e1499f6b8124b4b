/** A part of the past, and its values; undefined for unknown ones, which are not zero. */
export interface Span {
  readonly from: Date;
  readonly values: readonly (number | undefined)[];
}

/** Something that was done at a time, as a sentence. */
export interface Mark {
  readonly on: Date;
  readonly text: string;
}

/** The marks that lie within some spans, the oldest first. @param step the length of each span, in seconds */
export function marksIn(marks: readonly Mark[], spans: readonly Span[], step: number): readonly Mark[] {
  const [first, last] = [spans[0], spans.at(-1)];
  if (!first || !last) return [];
  const end = last.from.getTime() + 1000 * step;
  return marks
    .filter(({ on }) => on >= first.from && on.getTime() < end)
    .toSorted((one, other) => one.on.getTime() - other.on.getTime());
}

/** The least round number that is not below a value: 1, 2, 2.5 or 5 with noughts. */
export function roundedUp(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 2.5, 5, 10].find((one) => one * power >= value) ?? 10) * power;
}

/** A unit in which a scale counts. */
export interface Unit {
  readonly size: number;
  /** Left out where values are written as they are. */
  readonly name?: 'day' | 'hour' | 'minute' | 'second';
}

export const plain: Unit = { size: 1 };
const units: readonly Unit[] = [
  { size: 86_400, name: 'day' },
  { size: 3600, name: 'hour' },
  { size: 60, name: 'minute' },
];

/** The unit of a scale of times up to this many seconds. */
export function unitFor(seconds: number): Unit {
  return units.find(({ size }) => seconds >= 2 * size) ?? { size: 1, name: 'second' };
}

/** The ticks of a scale from zero to the top, both included; whole numbers where the values are. */
export function ticksTo(top: number, isWhole: boolean): readonly number[] {
  const parts = [4, 5, 2].find((count) => !isWhole || Number.isInteger(top / count)) ?? 1;
  return Array.from({ length: parts + 1 }, (_, index) => (top / parts) * index);
}

type Known = (readonly [index: number, value: number])[];

/** The stretches of a line with known values: between them it is broken. */
export function stretchesOf(values: readonly (number | undefined)[]): readonly Known[] {
  const stretches: Known[] = [];
  for (const [index, value] of values.entries()) {
    if (value === undefined) continue;
    if (index === 0 || values[index - 1] === undefined) stretches.push([]);
    stretches.at(-1)?.push([index, value]);
  }
  return stretches;
}

/** The stretches of unknown spans, as first index and count. */
export function gapsOf(spans: readonly Span[]): readonly { readonly at: number; readonly count: number }[] {
  const gaps: { at: number; count: number }[] = [];
  for (const [index, { values }] of spans.entries()) {
    if (values.some((value) => value !== undefined)) continue;
    const last = gaps.at(-1);
    if (last && last.at + last.count === index) last.count += 1;
    else gaps.push({ at: index, count: 1 });
  }
  return gaps;
}

/** The indices of the spans with a time at the axis, at most `most`. */
export function labelledOf(count: number, most: number): readonly number[] {
  const step = Math.max(1, Math.ceil(count / Math.max(1, most)));
  return Array.from({ length: Math.ceil(count / step) }, (_, index) => index * step);
}

/** The span that a key leads to from another; undefined for other keys. */
export function stepFrom(at: number, key: string, count: number): number | undefined {
  const steps: Record<string, number> = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: count - 1 };
  const step = steps[key];
  return step === undefined ? undefined : Math.min(Math.max(step, 0), count - 1);
}

/** A stretch of spans that somebody chose: where they began, and where they are now, which may be before that. */
export interface Stretch {
  readonly anchor: number;
  readonly head: number;
}

/** The first and the last span of a stretch. */
export function endsOf({ anchor, head }: Stretch): readonly [first: number, last: number] {
  return [Math.min(anchor, head), Math.max(anchor, head)];
}

/** The values of several spans as one: those that add up, added up, and of others the largest. */
export function joined(spans: readonly Span[], isSum: readonly boolean[]): readonly (number | undefined)[] {
  return isSum.map((adds, index) => {
    const known = spans.flatMap(({ values }) => values[index] ?? []);
    if (known.length === 0) return undefined;
    return adds ? known.reduce((sum, value) => sum + value, 0) : Math.max(...known);
  });
}
