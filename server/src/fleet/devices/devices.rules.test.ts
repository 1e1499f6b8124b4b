import { describe, expect, it } from 'vitest';
import { Refusal } from '../../engine/errors.ts';
import { namesOf, textProblems } from '../../engine/checks.ts';
import { newDevice, registeredAgain } from './agent.ts';
import { changedByHand, decideState, refuseWhileBusy } from './devices.ts';
import { decideClaim } from './runs.ts';

const states = ['ACTIVE', 'DRAINING', 'QUARANTINED'] as const;
const known = { hostName: 'h', nickname: 'n', labels: ['a'], bots: ['b'], slots: 2, agentVersion: '1' };
const device = { ...known, id: 3, version: 5, busySlots: 0 } as never;

/** The decision, or the code of its refusal. */
function verdict(decide: () => unknown): unknown {
  try {
    return decide();
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

describe('decideState', () => {
  it.each([
    ['drain', ['DRAINING', 'DRAINING', 'STATUS_CONFLICT']],
    ['quarantine', ['QUARANTINED', 'QUARANTINED', 'QUARANTINED']],
    ['resume', ['ACTIVE', 'ACTIVE', 'ACTIVE']],
  ] as const)('to %s a device that is ACTIVE, DRAINING or QUARANTINED makes it %j', (change, expected) => {
    const verdicts = states.map((state) => verdict(() => decideState({ id: 1, state }, change)));
    expect(verdicts).toEqual(expected);
  });
});

describe('newDevice', () => {
  it('fills in what is left out, and puts names into one order, each once', () => {
    expect(newDevice({ hostName: 'x' })).toEqual({
      hostName: 'x',
      nickname: '',
      labels: [],
      bots: [],
      slots: 1,
      agentVersion: '',
    });
    expect(newDevice({ hostName: 'x', labels: ['b', 'a', 'b'], bots: ['z', 'y'] })).toMatchObject({
      labels: ['a', 'b'],
      bots: ['y', 'z'],
    });
  });

  it('refuses each text that could not be told from another by eye', () => {
    expect(verdict(() => newDevice({ hostName: 'x ', labels: ['\t'], bots: [''] }))).toBe('INVALID_REQUEST');
  });
});

describe('registeredAgain', () => {
  it('keeps what is not said', () => {
    const { labels, bots, slots, agentVersion } = known;
    expect(registeredAgain(known, { hostName: 'h' })).toEqual({ labels, bots, slots, agentVersion });
  });

  it('takes what is said, but no nickname', () => {
    const sent = { hostName: 'H', nickname: 'other', labels: [], slots: 7 };
    expect(registeredAgain(known, sent)).toEqual({ labels: [], bots: ['b'], slots: 7, agentVersion: '1' });
  });
});

describe('changedByHand', () => {
  it('keeps what is not said', () => {
    expect(changedByHand(device, { version: 5, labels: ['z', 'c'] })).toEqual({
      nickname: 'n',
      labels: ['c', 'z'],
    });
    expect(changedByHand(device, { version: 5, nickname: '' })).toEqual({ nickname: '', labels: ['a'] });
  });

  it('refuses a version that has passed', () => {
    expect(verdict(() => changedByHand(device, { version: 4 }))).toBe('VERSION_CONFLICT');
  });
});

describe('decideClaim', () => {
  it.each([
    ['of the caller that is ACTIVE', { state: 'ACTIVE' as const }, undefined],
    ['of the caller that is DRAINING', { state: 'DRAINING' as const, stateReason: 'x' }, 'STATUS_CONFLICT'],
    [
      'of the caller that is QUARANTINED',
      { state: 'QUARANTINED' as const, stateReason: 'x' },
      'STATUS_CONFLICT',
    ],
    ['of somebody else', undefined, 'INVALID_REQUEST'],
  ])('about a device %s', (_, found, expected) => {
    expect(decideClaim(3, found)?.code).toBe(expected);
  });
});

describe('refuseWhileBusy', () => {
  it.each([
    [0, undefined],
    [1, 'IN_USE'],
    [2, 'IN_USE'],
  ])('with %i items in progress it says %s', (busySlots, expected) => {
    expect(verdict(() => refuseWhileBusy({ id: 1, busySlots } as never))).toBe(expected);
  });
});

describe('textProblems', () => {
  it.each([
    ['sap', 0],
    ['Größe 金額', 0],
    ['', 1],
    [' a', 1],
    ['a ', 1],
    ['a\u0007b', 1],
  ])('finds in %j so many problems: %i', (text, count) => {
    expect(textProblems('labels', [text])).toHaveLength(count);
  });
});

describe('namesOf', () => {
  it('is the same for the same set of names', () => {
    expect(namesOf(['b', 'a', 'b'])).toEqual(namesOf(['a', 'b']));
  });
});
