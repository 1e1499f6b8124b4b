import { describe, expect, it } from 'vitest';
import { decideConditions, type Findings } from './rules.ts';

const gibibyte = 1024 ** 3;
const well: Findings = {
  isAway: false,
  database: { isReadOnly: false, losesWork: false, isNewer: false, clockOffMs: 5000, heldBackMs: 30_000 },
  disk: { folder: '/data', freeBytes: 2 * gibibyte, sizeBytes: 100 * gibibyte },
  uploads: { folder: '/tmp', freeBytes: gibibyte, sizeBytes: gibibyte },
  msSinceFull: Infinity,
  missingProcesses: 0,
};
const database = well.database as NonNullable<Findings['database']>;
const disk = well.disk as NonNullable<Findings['disk']>;

function codesOf(found: Partial<Findings>): string[] {
  return decideConditions({ ...well, ...found }, { largestFileBytes: gibibyte }).map(({ code }) => code);
}

describe('conditions', () => {
  it.each<[string, Partial<Findings>]>([
    ['DATABASE_AWAY', { isAway: true }],
    ['DATABASE_READ_ONLY', { database: { ...database, isReadOnly: true } }],
    ['DISK_FULL', { disk: { ...disk, freeBytes: gibibyte / 8 - 1 } }],
    ['DISK_NEARLY_FULL', { disk: { ...disk, freeBytes: gibibyte / 8 } }],
    ['DISK_NEARLY_FULL', { disk: { ...disk, freeBytes: 2 * gibibyte - 1 } }],
    ['CHANGES_REFUSED', { msSinceFull: 59_999 }],
    ['NO_ROOM_FOR_FILES', { uploads: { ...disk, freeBytes: gibibyte - 1 } }],
    ['PROCESSES_MISSING', { missingProcesses: 1 }],
    ['CLOCK_OFF', { database: { ...database, clockOffMs: 5001 } }],
    ['EVENTS_HELD_BACK', { database: { ...database, heldBackMs: 30_001 } }],
    ['COMMITS_NOT_DURABLE', { database: { ...database, losesWork: true } }],
    ['DATABASE_NEWER', { database: { ...database, isNewer: true } }],
  ])('tell %s of %j', (code, found) => {
    expect(codesOf(found)).toEqual([code]);
  });

  it('tell nothing when all is well, nor of a small disk that is mostly free, nor of what cannot be told', () => {
    expect(codesOf({})).toEqual([]);
    expect(codesOf({ disk: { ...disk, freeBytes: gibibyte / 2, sizeBytes: gibibyte } })).toEqual([]);
    expect(codesOf({ database: undefined, disk: undefined, uploads: undefined })).toEqual([]);
  });

  it('name first what keeps the server from working', () => {
    const stops = decideConditions(
      { ...well, isAway: true, msSinceFull: 0, disk: { ...disk, freeBytes: 0 } },
      { largestFileBytes: 0 },
    ).map((one) => one.stops);
    expect(stops).toEqual([true, true, false]);
  });
});
