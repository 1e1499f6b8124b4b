import { expect, test } from 'vitest';
import { postponedQueues } from './postponed.ts';

test('postponed queues come back later each time they fail, a minute later at most, and at once when they are done', () => {
  const logged: string[] = [];
  const log = { error: (_: unknown, message: string) => logged.push(message) } as never;
  const postponed = postponedQueues('later');
  const now = new Date('2026-11-30T10:00:00Z');
  const at = (seconds: number) => postponed.at(new Date(now.getTime() + seconds * 1000));
  const fail = () => {
    expect(() => postponed.postpone({ log, now }, 7, new Error('no'))).toThrow('no');
  };
  fail();
  expect([at(1), at(2)]).toEqual([[7], []]);
  fail();
  expect([at(3), at(4)]).toEqual([[7], []]);
  for (let times = 0; times < 10; times += 1) fail();
  expect([at(59), at(60)]).toEqual([[7], []]);
  postponed.done(7);
  expect(at(0)).toEqual([]);
  expect(logged).toHaveLength(12);
});
