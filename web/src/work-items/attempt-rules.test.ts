import { expect, test } from 'vitest';
import { placeOf, spanOf } from './attempt-rules.ts';

const at = (second: number) => new Date(second * 1000).toISOString();
const attempts = [
  { startedOn: at(100), endedOn: at(110) },
  { startedOn: at(140), endedOn: at(150) },
  { startedOn: at(180) },
];

test('Attempts are placed on the time from the first start to the last end, or to now', () => {
  const span = spanOf(attempts, 200_000);
  expect(span).toEqual({ from: 100_000, to: 200_000 });
  expect(attempts.map((one) => placeOf(one, span))).toEqual([
    { start: 0, length: 10 },
    { start: 40, length: 10 },
    { start: 80, length: 20 },
  ]);
});

test('An attempt that began and ended in the same instant has a place as well', () => {
  const instant = [{ startedOn: at(5), endedOn: at(5) }];
  expect(placeOf({ startedOn: at(5), endedOn: at(5) }, spanOf(instant, 0))).toEqual({ start: 0, length: 0 });
});
