import fc from 'fast-check';
import {
  cancel,
  claim,
  create,
  due,
  goOn,
  heartbeat,
  expire,
  pass,
  progress,
  remove,
  repair,
  repeat,
  report,
  resolve,
  type Command,
} from './commands.ts';
import type { Consumer, Report } from './actions.ts';

const nth = fc.nat({ max: 99 });
// Few priorities, so that arrival decides too.
const priority = fc.constantFrom(4, 4, 4, 7);
const by = fc.constantFrom<Consumer>('first consumer', 'second consumer');
const way = fc.constantFrom<Report['way']>('finishWorkItems', 'updateWorkItem');
const says = fc.constantFrom<Report['says']>('COMPLETE', 'BUSINESS', 'SYSTEM', 'SYSTEM', 'DEFERRED', 'NEW');
const answer = fc.constantFrom('DONE' as const, 'NOT_DONE' as const, 'PARTLY' as const);
const isStale = mostly(false);
const to = fc.constantFrom('COMPLETE' as const, 'FAILED' as const, 'DEFERRED' as const, 'EDIT' as const);
const use = { nth, isLive: mostly(true), isStale, isThief: mostly(false) };
const news = fc.array(fc.record({ priority, isDeferred: mostly(false) }), { minLength: 1, maxLength: 2 });

function mostly(usual: boolean): fc.Arbitrary<boolean> {
  return fc.oneof(
    { weight: 4, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constant(!usual) },
  );
}

/** Any command. Where time must pass a run waits for the jobs of the server, so that is rare. */
export const anything: fc.Arbitrary<Command> = fc.oneof(
  { weight: 9, arbitrary: news.map(create) },
  { weight: 20, arbitrary: fc.record({ by, count: fc.integer({ min: 1, max: 3 }) }).map(claim) },
  { weight: 30, arbitrary: fc.record({ ...use, says, way }).map(report) },
  { weight: 7, arbitrary: fc.record({ nth, way }).map(repeat) },
  { weight: 7, arbitrary: fc.record(use).map(heartbeat) },
  { weight: 7, arbitrary: fc.record(use).map(progress) },
  { weight: 14, arbitrary: fc.record({ nth, to, priority, isStale }).map(repair) },
  { weight: 7, arbitrary: fc.record(use).map(pass) },
  { weight: 5, arbitrary: fc.record({ nth, isLive: mostly(true) }).map(cancel) },
  { weight: 7, arbitrary: fc.record({ nth, isStale, answer }).map(resolve) },
  {
    weight: 9,
    arbitrary: fc
      .record({ nth, isStale, name: fc.constantFrom('release' as const, 'restart' as const) })
      .map(goOn),
  },
  { weight: 3, arbitrary: nth.map(remove) },
  { weight: 3, arbitrary: nth.map(expire) },
  { weight: 2, arbitrary: nth.map(due) },
);
