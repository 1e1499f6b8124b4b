import { describe, expect, it } from 'vitest';
import { personOf } from './providers.ts';
import { isConsolePath } from './sign-on.ts';

const settings = {
  title: 'Acme',
  usernameClaim: 'preferred_username',
  groupsClaim: 'groups',
  roles: [],
  groups: { Payments: ['Payers', 'AAE_Basic'], Audit: ['AAE_Auditor'] },
  require: {},
};
const claims = { iss: 'https://login.acme.example', sub: '7', preferred_username: 'ann' };

describe('personOf', () => {
  it.each([
    [{ groups: ['Payments', 'Audit', 'others'] }, ['Payers', 'AAE_Basic', 'AAE_Auditor']],
    [{ groups: 'Audit' }, ['AAE_Auditor']],
    [{ groups: ['payments'] }, []],
    [{ groups: { Payments: true } }, []],
    [{ groups: [7, null, ['Audit']] }, []],
    [{}, []],
  ])('gives the roles of the groups %j', (more, roles) => {
    expect(personOf(settings, { ...claims, ...more }).roles).toEqual(roles);
  });

  it('finds groups inside of objects', () => {
    const inside = { ...settings, groupsClaim: ['realm_access', 'roles'] };
    const said = { ...claims, realm_access: { roles: ['Audit'] } };
    expect(personOf(inside, said).roles).toEqual(['AAE_Auditor']);
    expect(personOf(inside, { ...claims, realm_access: ['roles'] }).roles).toEqual([]);
  });

  it('gives everybody the roles that are for everybody, each once', () => {
    const said = { ...claims, groups: ['Payments'] };
    expect(personOf({ ...settings, roles: ['AAE_Basic'] }, said).roles).toEqual(['AAE_Basic', 'Payers']);
  });

  it('has no role by names that every object has', () => {
    expect(personOf(settings, { ...claims, groups: ['constructor', '__proto__', 'toString'] }).roles).toEqual(
      [],
    );
  });

  it.each([undefined, 7, '', ' ann', 'a\u200Bnn', 'a\nnn'])('refuses the user name %j', (name) => {
    expect(() => personOf(settings, { ...claims, preferred_username: name })).toThrow('under which name');
  });

  it('leaves out texts about the person that are none', () => {
    const odd = { ...claims, email: 7, given_name: 'A\u0000', family_name: 'x'.repeat(300) };
    const { email, firstName, lastName } = personOf(settings, odd);
    expect([email, firstName, lastName.length]).toEqual(['', '', 255]);
  });

  it('asks for claims with exactly the required values', () => {
    const strict = { ...settings, require: { hd: 'acme.example' } };
    expect(personOf(strict, { ...claims, hd: 'acme.example' }).username).toBe('ann');
    for (const hd of [undefined, 'ACME.example', ['acme.example'], 'acme.example.evil.example'])
      expect(personOf(strict, { ...claims, hd, groups: ['Audit'] })).toMatchObject({
        roles: [],
        barred: 'The claim hd is not what is required.',
      });
  });
});

describe('isConsolePath', () => {
  it.each(['/console/', '/console/queues', '/console/queues/7?q=a:b&sort=-id', '/console/queues#x'])(
    'takes %s',
    (next) => expect(isConsolePath(next)).toBe(true),
  );
  it.each([
    '',
    '/',
    '/console',
    '/consoles/',
    'console/',
    '/console/..',
    '/console/%2E%2e/x',
    '/console/\n',
    '/console/./..//x',
  ])('refuses %j', (next) => expect(isConsolePath(next)).toBe(false));
});
