import { describe, expect, it } from 'vitest';
import { Refusal } from '../../engine/errors.ts';
import { decideRole } from './members.ts';
import { capabilitiesOf } from './rules.ts';

const roles = [undefined, 'OWNER', 'MEMBER', 'PARTICIPANT'] as const;

/** The role after a request, or the code of its refusal. */
function decided(...input: Parameters<typeof decideRole>): string {
  const role = decideRole(...input);
  return role instanceof Refusal ? role.code : role;
}

describe('the role of a user', () => {
  for (const current of roles) {
    for (const wanted of ['OWNER', 'MEMBER', 'PARTICIPANT'] as const) {
      it(`becomes ${wanted} from ${current ?? 'none'} while there is another owner`, () => {
        expect(decided(current, wanted, true)).toBe(wanted);
      });
    }
  }

  it.each([
    [undefined, 'MEMBER'],
    ['OWNER', 'OWNER'],
    ['MEMBER', 'MEMBER'],
    ['PARTICIPANT', 'PARTICIPANT'],
  ] as const)('without a wish becomes of %s: %s', (current, role) => {
    expect(decided(current, undefined, true)).toBe(role);
    expect(decided(current, undefined, false)).toBe(role);
  });

  it('stays OWNER for the last owner', () => {
    expect(decided('OWNER', 'OWNER', false)).toBe('OWNER');
    expect(decided('OWNER', 'MEMBER', false)).toBe('STATUS_CONFLICT');
    expect(decided('OWNER', 'PARTICIPANT', false)).toBe('STATUS_CONFLICT');
    expect(decided('MEMBER', 'PARTICIPANT', false)).toBe('PARTICIPANT');
  });
});

describe('capabilities', () => {
  it('add up over memberships', () => {
    expect(capabilitiesOf(['PARTICIPANT', 'CONSUMER'])).toEqual(
      new Set(['view', 'add', 'process', 'report']),
    );
    expect(capabilitiesOf([])).toEqual(new Set());
  });
});
