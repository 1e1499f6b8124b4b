import type { Schemas } from '@millrace/api';

type Attempt = Pick<Schemas['Attempt'], 'startedOn' | 'endedOn'>;

/** The time from the first start to the last end, in milliseconds since 1970. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** @param now the end of an attempt that goes on */
export function spanOf(attempts: readonly Attempt[], now: number): Span {
  return {
    from: Math.min(...attempts.map(({ startedOn }) => Date.parse(startedOn))),
    to: Math.max(...attempts.map(({ endedOn }) => (endedOn === undefined ? now : Date.parse(endedOn)))),
  };
}

/** The start and the length of an attempt, as percentages of the span. */
export interface Place {
  readonly start: number;
  readonly length: number;
}

export function placeOf({ startedOn, endedOn }: Attempt, { from, to }: Span): Place {
  const whole = Math.max(to - from, 1);
  const start = Date.parse(startedOn) - from;
  const end = endedOn === undefined ? to - from : Date.parse(endedOn) - from;
  const percent = (time: number) => Math.round((time / whole) * 1000) / 10;
  return { start: percent(start), length: percent(Math.max(end - start, 0)) };
}
