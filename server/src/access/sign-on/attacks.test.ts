import type { JWTPayload } from 'jose';
import { describe, expect, it } from 'vitest';
import { startApp, type Answer } from '../../testing/app.ts';
import { anotherKey, signingOn, startProvider, worker } from '../../testing/sign-on.ts';

const acme = await startProvider();
const app = await startApp({ signOn: acme.settings() });
const { begin, cameBack, finish, signOn, lastEvent } = signingOn(app, acme);

/** Signs on with an answer in which the provider lies. */
async function signOnByLie(person: typeof acme.person, lie: typeof acme.lie) {
  const body = await cameBack(await begin(), person);
  acme.lie = lie;
  return finish(body).finally(() => (acme.lie = undefined));
}

const seconds = () => Math.floor(Date.now() / 1000);

describe('finishSignOn', () => {
  const refused = (answer: Answer<'finishSignOn'>, status = 401) => {
    expect([answer.status, answer.error.message]).toEqual([status, expect.stringMatching(/\.$/)]);
    expect(JSON.stringify(answer.error)).not.toContain('secret of the client');
  };

  it('finishSignOn refuses a wrong state, and uses the secret up with it', async () => {
    const body = await cameBack(await begin(), worker('state'));
    refused(await finish({ ...body, state: 'x'.repeat(43) }));
    refused(await finish(body));
    expect(await lastEvent()).toMatchObject({
      reason: 'The answer proves nothing: unexpected "state" response parameter value.',
    });
  });

  it('finishSignOn refuses what was used, what another browser has begun, and what was begun too long ago', async () => {
    const used = await cameBack(await begin(), worker('used'));
    expect((await finish(used)).status).toBe(200);
    refused(await finish(used));
    const theirs = await cameBack(await begin(), worker('victim'));
    const mine = await begin();
    refused(await finish({ ...theirs, secret: mine.secret }));
    const late = await cameBack(await begin(), worker('late'));
    await app.sql(`update sign_ons set expires_on = now()`);
    refused(await finish(late));
    refused(await finish({ ...late, secret: 'a'.repeat(43) }));
  });

  it('finishSignOn refuses a code of somebody else, also with a state of one’s own', async () => {
    const theirs = await cameBack(await begin(), worker('code'));
    const mine = await begin();
    const state = new URL(mine.url).searchParams.get('state') ?? '';
    refused(await finish({ ...theirs, secret: mine.secret, state }));
    expect(await lastEvent()).toMatchObject({ reason: 'The provider did not take the code: invalid_grant.' });
  });

  it.each<[string, (claims: JWTPayload) => JWTPayload]>([
    ['another nonce', (claims) => ({ ...claims, nonce: 'another' })],
    ['no nonce', ({ nonce: _, ...claims }) => claims],
    ['another issuer', (claims) => ({ ...claims, iss: 'https://evil.example' })],
    ['another audience', (claims) => ({ ...claims, aud: 'another client' })],
    ['an end that has passed', (claims) => ({ ...claims, exp: seconds() - 120 })],
    ['a beginning that is to come', (claims) => ({ ...claims, nbf: seconds() + 120 })],
    ['no subject', ({ sub: _, ...claims }) => claims],
  ])('finishSignOn refuses an ID token with %s', async (_, lie) => {
    refused(await signOnByLie(worker('lied about'), lie));
    expect(await lastEvent()).toMatchObject({ reason: expect.stringContaining('The answer proves nothing') });
  });

  it('finishSignOn refuses an ID token that is signed with another key', async () => {
    const body = await cameBack(await begin(), worker('forged'));
    acme.key = await anotherKey();
    refused(await finish(body).finally(() => (acme.key = undefined)));
  });

  it('finishSignOn takes clocks that are half a minute apart', async () => {
    const late = (claims: object) => ({ ...claims, exp: seconds() - 30 });
    const early = (claims: object) => ({ ...claims, iat: seconds() + 30, nbf: seconds() + 30 });
    for (const lie of [late, early])
      expect((await signOnByLie(worker('by another clock'), lie)).status).toBe(200);
  });

  it('finishSignOn refuses an answer that says it is of another issuer', async () => {
    const body = await cameBack(await begin(), worker('mixed up'));
    expect(body.iss).toBe(acme.issuer);
    refused(await finish({ ...body, iss: 'https://evil.example' }));
    const { iss: _, ...without } = await cameBack(await begin(), worker('mixed up'));
    refused(await finish(without));
  });

  it('finishSignOn tells what the provider refused by its code alone', async () => {
    const begun = await begin();
    const state = new URL(begun.url).searchParams.get('state') ?? '';
    const denied = { secret: begun.secret, state, iss: acme.issuer, error: 'access_denied' };
    const answer = await finish(denied);
    expect([answer.status, answer.error.message]).toEqual([
      403,
      'Acme did not let you sign on: access_denied.',
    ]);
    const next = await begin();
    const words = {
      secret: next.secret,
      state: new URL(next.url).searchParams.get('state') ?? '',
      iss: acme.issuer,
      error: 'Call +1 555 to unlock',
    };
    expect((await finish(words)).error.message).not.toContain('555');
  });

  it('finishSignOn says when the provider does not answer', async () => {
    const body = await cameBack(await begin(), worker('down'));
    acme.isDown = true;
    const answer = await finish(body).finally(() => (acme.isDown = false));
    expect([answer.status, answer.error.message]).toEqual([
      503,
      expect.stringMatching(/^Acme does not answer/),
    ]);
    expect(await lastEvent()).toMatchObject({
      reason: expect.stringContaining('does not answer as it should'),
    });
  });

  it('finishSignOn counts refusals of one kind from one address together', async () => {
    for (let attempt = 1; attempt <= 3; attempt += 1) await signOn(worker('insists', { groups: [] }));
    const { list } = (await app.admin.listEvents({ query: { operation: 'finishSignOn', last: 1000 } })).body;
    expect(list.filter(({ reason }) => reason?.startsWith('insists@acme.example'))).toHaveLength(1);
  });
});
