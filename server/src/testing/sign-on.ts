import { once } from 'node:events';
import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeJwt, exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWTPayload } from 'jose';
import { Provider } from 'oidc-provider';
import { stringifyJson, type Schemas } from '@millrace/api';
import { expect } from 'vitest';
import type { Answer, App } from './app.ts';
import { atEnd } from './endings.ts';

/** The origin of the console in tests of sign-ons: no server is needed there. */
export const publicUrl = 'http://127.0.0.1:9';

const client = { clientId: 'millrace', clientSecret: 'a secret of the client that nobody may see' };

/** The provider's claims about somebody: `sub` is their id. */
type Account = { readonly sub: string } & Readonly<Record<string, unknown>>;

/** A real provider on a port of its own, whose people need no password there, and which can be made to lie. */
export interface TestProvider {
  readonly issuer: string;
  /** The person whom it signs on from now on. */
  person: Account;
  /** Changes the claims of an ID token before they are signed; `key` replaces the key that signs. */
  lie: ((claims: JWTPayload) => JWTPayload) | undefined;
  key: CryptoKey | undefined;
  /** Whether it answers only with failures. */
  isDown: boolean;
  /** The settings of a server with this provider, for browsers that reach the server there. */
  settings(more?: object, at?: string): string;
  /** Acts like a browser at an address of the provider, until it is sent back. */
  visit(url: string): Promise<Omit<Schemas['SignOnAnswer'], 'secret'>>;
}

export async function startProvider(redirectUris: readonly string[] = []): Promise<TestProvider> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  atEnd(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  const jwk = { ...(await exportJWK(privateKey)), kid: 'one', alg: 'RS256', use: 'sig' };
  const test: TestProvider = {
    issuer,
    person: { sub: 'nobody' },
    lie: undefined,
    key: undefined,
    isDown: false,
    settings: (more = {}, at = publicUrl) => settingsOf(issuer, more, at),
    visit,
  };
  server.on(
    'request',
    serving(test, new Provider(issuer, configurationOf(test, jwk, redirectUris)), privateKey),
  );
  return test;
}

function serving(test: TestProvider, provider: Provider, ownKey: CryptoKey): RequestListener {
  const answer = provider.callback();
  return (request, response) => {
    if (test.isDown) return void response.writeHead(502).end('down');
    if (request.url?.startsWith('/interaction/'))
      return void provider.interactionFinished(request, response, { login: { accountId: test.person.sub } });
    if (request.url === '/token') rewriteToken(test, ownKey, response);
    return answer(request, response);
  };
}

function settingsOf(issuer: string, more: object, at: string): string {
  const one = {
    name: 'acme',
    title: 'Acme',
    issuer,
    ...client,
    groups: { 'item workers': ['AAE_Basic'] },
    ...more,
  };
  return stringifyJson({ publicUrl: at, providers: [one] });
}

function configurationOf(test: TestProvider, jwk: object, more: readonly string[]): object {
  return {
    clients: [clientWith([`${publicUrl}/console/sign-on`, ...more])],
    jwks: { keys: [jwk] },
    cookies: { keys: ['for tests'] },
    claims: {
      openid: ['sub', 'groups', 'roles', 'hd', '_claim_names'],
      profile: names,
      email: ['email', 'email_verified'],
    },
    conformIdTokenClaims: false,
    ttl: { AccessToken: 600, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    findAccount: (_: unknown, accountId: string) => ({ accountId, claims: () => test.person }),
    loadExistingGrant: grantAll,
  };
}

function clientWith(redirectUris: readonly string[]): object {
  return {
    client_id: client.clientId,
    client_secret: client.clientSecret,
    redirect_uris: redirectUris,
    post_logout_redirect_uris: redirectUris.map((uri) => new URL('/console/login', uri).href),
    token_endpoint_auth_method: 'client_secret_post',
  };
}

interface Visit {
  readonly oidc: { readonly provider: Provider; readonly session: { readonly accountId: string } };
}

/** Grants all claims to the client without asking the person. */
async function grantAll({ oidc: { provider, session } }: Visit): Promise<object> {
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope('openid profile email');
  await grant.save();
  return grant;
}

const names = ['preferred_username', 'given_name', 'family_name'];

/** Changes the answer of the token endpoint on its way: the ID token has other claims, or another signature, where the test wants a lie. */
function rewriteToken({ lie, key }: TestProvider, ownKey: CryptoKey, response: ServerResponse): void {
  const end = response.end.bind(response);
  response.end = ((body: Buffer | string) => {
    const said = JSON.parse(String(body)) as { id_token?: string };
    if ((!lie && !key) || said.id_token === undefined) return end(body);
    const claims = decodeJwt(said.id_token);
    void new SignJWT(lie ? lie(claims) : claims)
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .sign(key ?? ownKey)
      .then((token) => {
        const text = JSON.stringify({ ...said, id_token: token });
        response.setHeader('content-length', Buffer.byteLength(text));
        end(text);
      });
    return response;
  }) as typeof response.end;
}

async function visit(url: string): Promise<Omit<Schemas['SignOnAnswer'], 'secret'>> {
  const cookies = new Map<string, string>();
  const { origin } = new URL(url);
  let next = new URL(url);
  while (next.origin === origin) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(next, { redirect: 'manual', headers: { cookie } });
    for (const set of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      cookies.set(name, value);
    }
    const location = response.headers.get('location');
    if (location === null)
      throw new Error(`${next.pathname} answered ${response.status} ${await response.text()}`);
    await response.body?.cancel();
    next = new URL(location, next);
  }
  return Object.fromEntries(next.searchParams) as Omit<Schemas['SignOnAnswer'], 'secret'>;
}

/** A key that does not belong to the provider. */
export const anotherKey = async (): Promise<CryptoKey> => (await generateKeyPair('RS256')).privateKey;

/** Somebody in the provider's group `item workers`. */
export const worker = (sub: string, more: object = {}): Account => ({
  sub,
  preferred_username: `${sub}@acme.example`,
  given_name: 'Ann',
  family_name: 'Lee',
  email: `${sub}@acme.example`,
  groups: ['item workers'],
  ...more,
});

/** The steps of a browser that signs on at an application by a provider, one by one and as a whole. */
export function signingOn(app: App, provider: TestProvider) {
  const anyone = app.as(undefined);
  const begin = async (name = 'acme', more: object = {}): Promise<Schemas['SignOn']> => {
    const answer = await anyone.beginSignOn({ body: { provider: name, ...more } });
    expect(answer.status, JSON.stringify(answer.error)).toBe(200);
    return answer.body;
  };
  /** The answer that the browser brings back from a sign-on. */
  const cameBack = async ({ url, secret }: Schemas['SignOn'], person: Account) => {
    provider.person = person;
    return { secret, ...(await provider.visit(url)) };
  };
  const finish = (body: Schemas['SignOnAnswer']) => anyone.finishSignOn({ body });
  const signOn = async (person: Account, name?: string): Promise<Answer<'finishSignOn'>> =>
    finish(await cameBack(await begin(name), person));
  const lastEvent = async () => {
    const { list } = (await app.admin.listEvents({ query: { operation: 'finishSignOn', last: 1 } })).body;
    return list[0];
  };
  return { begin, cameBack, finish, signOn, lastEvent };
}
