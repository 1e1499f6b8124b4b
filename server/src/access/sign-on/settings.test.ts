import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readSignOn } from './settings.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'millrace-sign-on-'));
afterAll(() => rmSync(folder, { recursive: true }));

const good = {
  name: 'acme',
  issuer: 'https://login.acme.example/realms/staff',
  clientId: 'millrace',
  clientSecret: 'very secret',
  roles: ['AAE_Basic'],
};
const read = (signOn: string) => readSignOn({ signOn, signOnFile: undefined });
const written = (more: object, publicUrl = 'https://millrace.example') =>
  JSON.stringify({ publicUrl, providers: [{ ...good, ...more }] });

describe('the settings of sign-on', () => {
  it('are none where nothing is set', () => {
    expect(readSignOn({ signOn: undefined, signOnFile: undefined })).toBeUndefined();
  });

  it('are read from a file of YAML, with a secret in a file of its own', () => {
    const [file, secret] = [path.join(folder, 'sign-on.yaml'), path.join(folder, 'secret')];
    writeFileSync(secret, 'of a file\n');
    writeFileSync(
      file,
      `publicUrl: https://millrace.example/
providers:
  - name: acme
    title: Acme staff
    issuer: https://login.acme.example/realms/staff
    clientId: millrace
    clientSecretFile: ${secret}
    groupsClaim: [realm_access, roles]
    groups:
      Payments team: [AAE_Basic, Payments]
`,
    );
    expect(readSignOn({ signOn: undefined, signOnFile: file })).toEqual({
      publicUrl: 'https://millrace.example',
      providers: [
        {
          name: 'acme',
          title: 'Acme staff',
          tenant: 'default',
          issuer: 'https://login.acme.example/realms/staff',
          clientId: 'millrace',
          clientSecret: 'of a file',
          clientAuthentication: 'client_secret_post',
          scopes: ['profile', 'email'],
          userInfo: false,
          usernameClaim: 'preferred_username',
          groupsClaim: ['realm_access', 'roles'],
          roles: [],
          groups: { 'Payments team': ['AAE_Basic', 'Payments'] },
          require: {},
          logOutThere: true,
        },
      ],
    });
  });

  it('may name addresses of this machine without https', () => {
    const local = { issuer: 'http://127.0.0.1:8081/realms/test' };
    expect(read(written(local, 'http://localhost:8080'))?.publicUrl).toBe('http://localhost:8080');
  });

  it.each([
    [{ issuer: 'http://login.acme.example' }, 'the issuer of acme must begin with https://'],
    [{ issuer: 'nowhere' }, 'the issuer of acme must be an address that begins with https://'],
    [{ issuer: 'https://a:b@login.acme.example' }, 'must have no user, query or fragment'],
    [{ name: 'Acme' }, 'providers.0.name must be small letters and digits'],
    [{ clientID: 'x' }, 'providers.0.clientID is not a setting'],
    [{ clientId: undefined }, 'providers.0.clientId is missing'],
    [{ userInfo: 'yes' }, 'providers.0.userInfo must be true or false'],
    [{ clientSecretFile: '/x' }, 'has clientSecret and clientSecretFile'],
    [
      { clientSecret: undefined, clientSecretFile: '/there/is/none' },
      'clientSecretFile of the provider acme is /there/is/none',
    ],
    [{ roles: [] }, 'the provider acme gives nobody a role'],
    [{ groups: { all: ['AAE_Operator'] } }, 'gives AAE_Operator, which no provider can'],
    [{ issuer: 'https://accounts.google.com' }, 'would let in everybody with a Google account'],
  ])('are refused with a sentence, and without the secret: %j', (more, sentence) => {
    const attempt = () => read(written(more));
    expect(attempt).toThrow(sentence);
    expect(attempt).not.toThrow('very secret');
  });

  it('are refused where they are no YAML, with the line, and without the secret', () => {
    const attempt = () => read('publicUrl: https://x.example\nproviders: [clientSecret: "very secret');
    expect(attempt).toThrow(/^MILLRACE_SIGN_ON is no YAML: \w+ at line 2[.]$/);
    expect(attempt).not.toThrow('very secret');
  });

  it('are refused all at once', () => {
    const twice = JSON.stringify({ publicUrl: 'http://millrace.example/path', providers: [good, good] });
    expect(() => read(twice)).toThrow(/publicUrl must begin with https[^]*two providers with the name acme/);
    expect(() => read(written({}, 'https://millrace.example/path'))).toThrow('without a path');
    expect(() => read('42')).toThrow('MILLRACE_SIGN_ON: it must be an object.');
  });
});
