import { expect } from 'vitest';
import { anotherKey, signingOn, worker, type TestProvider } from '../../server/src/testing/sign-on.ts';
import { harmless, post, refusal, type Answer, type Attack, type Place } from './attack.ts';

const path = '/v2/authentication/sign-on';
const begin = (place: Place, body: object) => post(place, path, { provider: 'acme', ...body }, '');
const finish = (place: Place, body: object) => post(place, `${path}/end`, body, '');
const seconds = () => Math.floor(Date.now() / 1000);

/** The answer of the provider for a user in the right group, as the browser brings it back. */
function cameBack({ app, provider }: Place, more: object = {}) {
  const steps = signingOn(app, provider);
  return steps.begin().then((begun) => steps.cameBack(begun, worker('mallory', more)));
}

/** Finishes a sign-on while the provider lies, or is replaced. */
async function lied(
  place: Place,
  lies: Partial<Pick<TestProvider, 'lie' | 'key' | 'isDown'>>,
): Promise<Answer> {
  const body = await cameBack(place);
  Object.assign(place.provider, lies);
  return finish(place, body).finally(() =>
    Object.assign(place.provider, { lie: undefined, key: undefined, isDown: false }),
  );
}

const lie = (change: object) => ({ lie: (claims: object) => ({ ...claims, ...change }) });

export const signOns: Attack[] = [
  refusal('A sign-on that nobody has begun', 401, (place) =>
    finish(place, { secret: 'a'.repeat(43), state: 'b', code: 'c' }),
  ),
  refusal('A state that is made up', 401, async (place) =>
    finish(place, { ...(await cameBack(place)), state: 'a'.repeat(43) }),
  ),
  refusal('An answer for the second time', 401, async (place) => {
    const body = await cameBack(place);
    await finish(place, body);
    return finish(place, body);
  }),
  refusal('The answer for somebody else, in a browser of one’s own', 401, async (place) => {
    const { secret } = await signingOn(place.app, place.provider).begin();
    return finish(place, { ...(await cameBack(place)), secret });
  }),
  refusal('The code of somebody else, with a state of one’s own', 401, async (place) => {
    const { secret, url } = await signingOn(place.app, place.provider).begin();
    const state = new URL(url).searchParams.get('state');
    return finish(place, { ...(await cameBack(place)), secret, state });
  }),
  refusal('An answer that says it is of another issuer', 401, async (place) =>
    finish(place, { ...(await cameBack(place)), iss: 'https://evil.example' }),
  ),
  refusal('An ID token with another nonce', 401, (place) => lied(place, lie({ nonce: 'another' }))),
  refusal('An ID token of another issuer', 401, (place) => lied(place, lie({ iss: 'https://evil.example' }))),
  refusal('An ID token for another client', 401, (place) => lied(place, lie({ aud: 'another client' }))),
  refusal('An ID token that has expired', 401, (place) => lied(place, lie({ exp: seconds() - 120 }))),
  refusal('An ID token that is signed with another key', 401, async (place) =>
    lied(place, { key: await anotherKey() }),
  ),
  refusal('The user name of the administrator, at the provider', 403, async (place) =>
    finish(place, await cameBack(place, { sub: 'eve', preferred_username: 'admin' })),
  ),
  refusal('Somebody of the directory who is in no group that counts', 403, async (place) =>
    finish(place, await cameBack(place, { groups: ['constructor', '__proto__'] })),
  ),
  refusal('Somebody who is disabled here', 403, async (place) => {
    const { text } = await finish(place, await cameBack(place, { sub: 'left', preferred_username: 'left' }));
    const { user } = JSON.parse(text) as { user: { id: number } };
    await place.app.admin.disableUser({ path: { id: user.id } });
    return finish(place, await cameBack(place, { sub: 'left', preferred_username: 'left' }));
  }),
  ...[
    'https://evil.example/',
    '//evil.example',
    '/console/../docs',
    '/console/%2e%2e/',
    '/console\\evil',
  ].map((next) => refusal(`A sign-on that is to lead on to ${next}`, 400, (place) => begin(place, { next }))),
  refusal('A sign-on that is to come back to another host', 400, (place) =>
    begin(place, { redirectUri: 'https://evil.example' }),
  ),
  refusal('A provider that is not known', 404, (place) => begin(place, { provider: '../../etc/passwd' })),
  refusal('A provider that is down', 503, (place) => lied(place, { isDown: true })),
  harmless(
    'The secret of the client, in all that is answered and recorded',
    'it is nowhere',
    async (place) => {
      const answers = [
        await begin(place, {}),
        await lied(place, lie({ nonce: 'x' })),
        await lied(place, { isDown: true }),
      ];
      const { list } = (await place.app.admin.listEvents({ query: { last: 1000 } })).body;
      const all = JSON.stringify([answers, list, await place.app.sql('select * from sign_ons')]);
      expect(all).not.toContain('a secret of the client');
    },
  ),
];
