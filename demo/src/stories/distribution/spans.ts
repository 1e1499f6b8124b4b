/** A stretch of time, in milliseconds; the end is not part of it. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** The stretches that any of these cover, in order and apart. */
export function union(spans: readonly Span[]): Span[] {
  const merged: Span[] = [];
  for (const span of spans.toSorted((one, other) => one.from - other.from)) {
    const last = merged.at(-1);
    if (span.to <= span.from) continue;
    if (last === undefined || span.from > last.to) merged.push(span);
    else merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, span.to) };
  }
  return merged;
}

/** The time that both cover. */
export function overlap(some: readonly Span[], others: readonly Span[]): Span[] {
  const both = some.flatMap((one) =>
    others.map((other) => ({ from: Math.max(one.from, other.from), to: Math.min(one.to, other.to) })),
  );
  return union(both);
}

/** The time that these cover and the others do not. */
export function without(spans: readonly Span[], others: readonly Span[]): Span[] {
  const edges = union(others);
  const gaps = [
    { from: -Infinity, to: edges[0]?.from ?? Infinity },
    ...edges.map(({ to }, index) => ({ from: to, to: edges[index + 1]?.from ?? Infinity })),
  ];
  return overlap(spans, gaps);
}

/** Their total length. */
export function lengthOf(spans: readonly Span[]): number {
  return union(spans).reduce((total, { from, to }) => total + to - from, 0);
}
