import { createHmac, createPublicKey } from 'node:crypto';
import { expect } from 'vitest';
import { signToken } from '../../server/src/access/auth/tokens.ts';
import { password } from '../../server/src/testing/app.ts';
import { get, harmless, logInPath, post, queues, refusal, send, type Attack, type Place } from './attack.ts';

const logIn = (place: Place, body: object | string) => post(place, logInPath, body, '');
const using = (place: Place, token: string) => post(place, queues, {}, token);
const coded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** The header (0) or the claims (1) of a token. */
function partOf(token: string, index: 0 | 1): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[index] as string, 'base64url').toString()) as Record<
    string,
    unknown
  >;
}

/** The token of the owner, with another header or other claims, and a forged signature. */
function forged(place: Place, header: object, claims: object, sign: (text: string) => string): string {
  const { token } = place.queue.owner;
  const text = `${coded({ ...partOf(token, 0), ...header })}.${coded({ ...partOf(token, 1), ...claims })}`;
  return `${text}.${sign(text)}`;
}

const ofOwner = ({ queue }: Place) => queue.owner.token.split('.')[2] as string;

/** A token with the real key, as after a leak, with a time of its own. */
async function leaked({ app, queue }: Place, at: Date): Promise<string> {
  const [key] = await app.sql<{ id: string; privateKey: string; publicKey: string }>(
    `select id, private_key as "privateKey", public_key as "publicKey" from signing_keys order by created_on desc limit 1`,
  );
  const { tenantUuid, sid } = partOf(queue.owner.token, 1);
  const claims = {
    userId: queue.owner.id,
    tenantUuid: String(tenantUuid),
    sessionId: String(sid),
    loggedInOn: at,
  };
  return signToken(key as NonNullable<typeof key>, claims, at);
}

async function publicKey({ app }: Place): Promise<string> {
  const [key] = await app.sql<{ pem: string }>('select public_key as pem from signing_keys limit 1');
  return String(createPublicKey(String(key?.pem)).export({ type: 'spki', format: 'pem' }));
}

const noName = { username: 'ghost', password: 'correct horse batterx' };

export const authentication: Attack[] = [
  refusal('No token', 401, (place) => get(place, '/v2/usermanagement/me', {})),
  refusal('An empty token', 401, (place) =>
    get(place, '/v2/usermanagement/me', { authorization: 'Bearer ' }),
  ),
  refusal('Nonsense for a token', 401, (place) => using(place, 'a.b.c')),
  refusal('A token of 12,000 characters', 401, (place) => using(place, 'a'.repeat(12_000))),
  refusal('The token as another scheme', 401, (place) =>
    get(place, '/v2/usermanagement/me', { authorization: `Basic ${place.queue.owner.token}` }),
  ),
  refusal('The token in the query', 401, (place) =>
    get(place, `/v2/usermanagement/me?token=${place.queue.owner.token}`, {}),
  ),
  refusal('The token in a cookie', 401, (place) =>
    get(place, '/v2/usermanagement/me', { cookie: `token=${place.queue.owner.token}` }),
  ),
  refusal('Two different tokens in two headers', 401, (place) =>
    get(place, '/v2/usermanagement/me', {
      authorization: `Bearer ${place.queue.owner.token}`,
      'x-authorization': place.basic.token,
    }),
  ),
  refusal('One header for the token twice', 401, (place) =>
    get(place, '/v2/usermanagement/me', { 'x-authorization': [place.queue.owner.token, place.basic.token] }),
  ),
  refusal('An unsigned token, with the algorithm none', 401, (place) =>
    using(
      place,
      forged(place, { alg: 'none' }, {}, () => ''),
    ),
  ),
  refusal('The signature of another token', 401, (place) =>
    using(
      place,
      forged(place, {}, { sub: '1' }, () => ofOwner(place)),
    ),
  ),
  refusal('A token signed with the public key as a secret', 401, async (place) => {
    const secret = await publicKey(place);
    return using(
      place,
      forged(place, { alg: 'HS512' }, {}, (text) =>
        createHmac('sha512', secret).update(text).digest('base64url'),
      ),
    );
  }),
  ...['../../../../etc/passwd', "' or 1=1 --", 'a'.repeat(5000), '', 'http://evil.example/keys'].map((kid) =>
    refusal(`The signing key ${JSON.stringify(kid.slice(0, 24))}`, 401, (place) =>
      using(
        place,
        forged(place, { kid }, {}, () => ofOwner(place)),
      ),
    ),
  ),
  refusal('A key of one’s own in the header (jwk)', 401, (place) =>
    using(
      place,
      forged(place, { jwk: { kty: 'oct', k: 'AAAA' } }, {}, () => 'AAAA'),
    ),
  ),
  refusal('A token that has expired', 401, async (place) =>
    using(place, await leaked(place, new Date(Date.now() - 3_600_000))),
  ),
  refusal('A token after its session was ended', 401, async (place) => {
    const { token } = await place.app.user('logged out');
    await place.app.as(token).logOut();
    return using(place, token);
  }),
  refusal('Renewing the token of a session that was ended', 401, async (place) => {
    const { token } = await place.app.user('renews after the end');
    await place.app.as(token).logOut();
    return post(place, '/v2/authentication/token', {}, token);
  }),
  refusal('A token after its user was disabled', 401, async (place) => {
    const user = await place.app.user('disabled meanwhile');
    await place.app.admin.disableUser({ path: { id: user.id } });
    return using(place, user.token);
  }),
  refusal('A token after its API key was revoked', 401, async (place) => {
    const { consumer } = place.queue;
    const { id, apiKey } = (await consumer.call.createApiKey()).body;
    const { token } = JSON.parse((await logIn(place, { username: 'runner', apiKey })).text) as {
      token: string;
    };
    await consumer.call.revokeApiKey({ path: { id } });
    return using(place, token);
  }),
  refusal('A wrong password', 401, (place) =>
    logIn(place, { username: 'basic', password: 'wrong horse battery' }),
  ),
  refusal('A blank API key and no password', 400, (place) =>
    logIn(place, { username: 'basic', apiKey: ' ' }),
  ),
  refusal('The API key of somebody else', 401, async (place) => {
    const { apiKey } = (await place.queue.consumer.call.createApiKey()).body;
    return logIn(place, { username: 'admin', apiKey });
  }),
  refusal('SQL in the user name', 401, (place) =>
    logIn(place, { username: "admin' or '1'='1' --", password }),
  ),
  refusal('SQL in the password', 401, (place) => logIn(place, { username: 'basic', password: "' or ''='" })),
  refusal('An object for the password', 400, (place) =>
    logIn(place, { username: 'basic', password: { $ne: null } }),
  ),
  refusal('A password of 60,000 characters', 400, (place) =>
    logIn(place, { username: 'basic', password: 'a'.repeat(60_000) }),
  ),
  harmless(
    'Which names exist, by the answers',
    'the same answer for a name that exists and one that does not',
    async (place) => {
      const [known, unknown] = [
        await logIn(place, { ...noName, username: 'nobody' }),
        await logIn(place, noName),
      ];
      expect([known.status, known.text]).toEqual([unknown.status, unknown.text]);
    },
  ),
  refusal('Guessing a password, six times', 429, async (place) => {
    const guess = () => logIn(place, { username: 'foreign guess', password: 'some horse battery' });
    for (let times = 0; times < 5; times += 1) await guess();
    return guess();
  }),
  refusal('Guessing from addresses that X-Forwarded-For makes up', 429, async (place) => {
    const guess = (last: number) =>
      send(place, ['POST', logInPath], {
        headers: { 'content-type': 'application/json', 'x-forwarded-for': `203.0.113.${last}` },
        body: JSON.stringify({ username: 'guessed from afar', password: `guess ${last} horse` }),
      });
    for (let last = 1; last <= 5; last += 1) await guess(last);
    return guess(6);
  }),
  refusal('Work with a temporary password', 403, async (place) => {
    const { id } = await place.app.user('temporary');
    const temporary = (await place.app.admin.resetUserPassword({ path: { id } })).body.temporaryPassword;
    const { token } = JSON.parse(
      (await logIn(place, { username: 'temporary', password: temporary })).text,
    ) as { token: string };
    return using(place, token);
  }),
];
