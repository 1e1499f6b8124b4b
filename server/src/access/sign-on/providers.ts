import { createHmac } from 'node:crypto';
import type { Schemas } from '@millrace/api';
import * as oidc from 'openid-client';
import { commonForm, textProblems } from '../../engine/checks.ts';
import type { Config } from '../../engine/config.ts';
import type { BegunSignOn, Person, Provider } from '../../engine/provider.ts';
import { SignOnRefusal } from './refusals.ts';
import { readSignOn, type ProviderSettings } from './settings.ts';

/** The providers of an installation. @throws Error that names unusable settings */
export function openProviders(config: Pick<Config, 'signOn' | 'signOnFile'>): Provider[] {
  const settings = readSignOn(config);
  return (settings?.providers ?? []).map((one) => openProvider(one, settings?.publicUrl ?? ''));
}

/** The page of the console to which a provider sends browsers back. */
const page = '/console/sign-on';

function openProvider(settings: ProviderSettings, publicUrl: string): Provider {
  const { name, title, tenant, logOutThere } = settings;
  const ask = discovering(settings);
  return {
    name,
    title,
    tenant,
    redirectUri: (port) => (port === undefined ? `${publicUrl}${page}` : `http://127.0.0.1:${port}/`),
    begin: async (signOn) => oidc.buildAuthorizationUrl(await ask(), await askedFor(settings, signOn)).href,
    prove: async (signOn, answer) => {
      const configuration = await ask();
      return personOf(settings, await claimsFrom(configuration, settings, signOn, answer));
    },
    logOutUrl: async () => {
      const configuration = await ask();
      if (!logOutThere || !configuration.serverMetadata().end_session_endpoint) return undefined;
      const back = { post_logout_redirect_uri: `${publicUrl}/console/login` };
      return oidc.buildEndSessionUrl(configuration, back).href;
    },
  };
}

const keptMs = 3_600_000;
const answerSeconds = 10;
const toleratedSeconds = 60;

/** The metadata of the provider, asked for once an hour, and shared by all callers that need it at the same time. */
function discovering(settings: ProviderSettings): () => Promise<oidc.Configuration> {
  let found: Promise<oidc.Configuration> | undefined;
  let foundOn = 0;
  return () => {
    if (found && performance.now() - foundOn < keptMs) return found;
    const asking = discover(settings);
    [found, foundOn] = [asking, performance.now()];
    asking.catch(() => (found = undefined));
    return asking;
  };
}

async function discover(settings: ProviderSettings): Promise<oidc.Configuration> {
  const { issuer, clientId, clientSecret, clientAuthentication } = settings;
  const url = new URL(issuer);
  const authentications = {
    client_secret_post: oidc.ClientSecretPost,
    client_secret_basic: oidc.ClientSecretBasic,
  };
  const authentication =
    clientSecret === undefined ? oidc.None() : authentications[clientAuthentication](clientSecret);
  // Signatures are checked even though answers come from the provider directly: over http, a program on this machine may be between.
  const execute = [
    oidc.enableNonRepudiationChecks,
    ...(url.protocol === 'http:' ? [oidc.allowInsecureRequests] : []),
  ];
  const metadata = { [oidc.clockTolerance]: toleratedSeconds };
  const options = { execute, timeout: answerSeconds };
  try {
    return await oidc.discovery(url, clientId, metadata, authentication, options);
  } catch (error) {
    throw away(settings, error);
  }
}

/** The other values of the protocol, derived from the secret: none can be guessed from another, and the secret alone gives all of them. */
function derived({ secret }: BegunSignOn, what: 'state' | 'nonce' | 'verifier'): string {
  return createHmac('sha256', secret).update(what).digest('base64url');
}

async function askedFor({ scopes }: ProviderSettings, signOn: BegunSignOn): Promise<Record<string, string>> {
  return {
    redirect_uri: signOn.redirectUri,
    scope: ['openid', ...scopes].join(' '),
    state: derived(signOn, 'state'),
    nonce: derived(signOn, 'nonce'),
    code_challenge: await oidc.calculatePKCECodeChallenge(derived(signOn, 'verifier')),
    code_challenge_method: 'S256',
  };
}

async function claimsFrom(
  configuration: oidc.Configuration,
  settings: ProviderSettings,
  signOn: BegunSignOn,
  { state, code, iss, error }: Schemas['SignOnAnswer'],
): Promise<Claims> {
  const address = new URL(signOn.redirectUri);
  for (const [name, value] of Object.entries({ state, code, iss, error }))
    if (value !== undefined) address.searchParams.set(name, value);
  try {
    const tokens = await oidc.authorizationCodeGrant(configuration, address, {
      pkceCodeVerifier: derived(signOn, 'verifier'),
      expectedState: derived(signOn, 'state'),
      expectedNonce: derived(signOn, 'nonce'),
      idTokenExpected: true,
    });
    const claims = tokens.claims() as Claims;
    if (!settings.userInfo) return claims;
    return { ...(await oidc.fetchUserInfo(configuration, tokens.access_token, claims.sub)), ...claims };
  } catch (failure) {
    throw refusalOf(settings, failure);
  }
}

/** The refusal for a failure at a provider. It contains nothing that was sent. */
function refusalOf(settings: ProviderSettings, error: unknown): SignOnRefusal {
  const { title } = settings;
  if (error instanceof oidc.AuthorizationResponseError) {
    const said = codeIn(error.error);
    return new SignOnRefusal(
      'FORBIDDEN',
      `${title} did not let you sign on: ${said}.`,
      `The provider refused: ${said}.`,
    );
  }
  if (error instanceof oidc.ResponseBodyError && error.status < 500) {
    const said = codeIn(error.error);
    return new SignOnRefusal(
      'UNAUTHENTICATED',
      notProved(title),
      `The provider did not take the code: ${said}.`,
    );
  }
  if (isAway(error)) return away(settings, error);
  const { message, cause } = error as Error;
  const why = cause instanceof Error ? cause.message : message;
  return new SignOnRefusal(
    'UNAUTHENTICATED',
    notProved(title),
    `The answer proves nothing: ${why.slice(0, 200)}.`,
  );
}

function notProved(title: string): string {
  return `The answer of ${title} does not prove who you are. Begin anew at the log-in page; if it comes again, ask who runs Millrace here.`;
}

/** An error code of the protocol: any other text would be somebody's words in the answer of this server. */
function codeIn(code: string): string {
  return /^\w{1,60}$/.test(code) ? code : 'without a reason that can be shown';
}

const codesOfSilence = new Set(['OAUTH_TIMEOUT', 'OAUTH_RESPONSE_IS_NOT_CONFORM']);

function isAway(error: unknown): boolean {
  const { name, code = '' } = error as Error & { code?: string };
  const isNetwork = error instanceof TypeError && error.message === 'fetch failed';
  return (
    isNetwork ||
    name === 'TimeoutError' ||
    codesOfSilence.has(code) ||
    error instanceof oidc.ResponseBodyError
  );
}

function away({ title, issuer }: ProviderSettings, error: unknown): SignOnRefusal {
  const { message, cause } = error as Error & { cause?: { code?: string } };
  const code = typeof cause?.code === 'string' ? ` (${cause.code})` : '';
  return new SignOnRefusal(
    'UNAVAILABLE',
    `${title} does not answer as it should, so that nobody can sign on by it now. Try again shortly, or log in with a password.`,
    `${new URL(issuer).host} does not answer as it should: ${message.slice(0, 200)}${code}.`,
  );
}

/** The claims of a provider about somebody, proved to come from the provider. */
type Claims = Readonly<Record<string, unknown>> & { readonly iss: string; readonly sub: string };

type Naming = Pick<
  ProviderSettings,
  'title' | 'usernameClaim' | 'groupsClaim' | 'roles' | 'groups' | 'require'
>;

/** The person whom claims describe, with the roles that they are to have: none where a claim is not what is required. @throws SignOnRefusal */
export function personOf(settings: Naming, claims: Claims): Person {
  const { title, usernameClaim } = settings;
  const barred = lackOf(settings, claims);
  const username = textOf(claims[usernameClaim], 255).normalize('NFC');
  if (barred === undefined && textProblems('username', [username]).length > 0)
    throw new SignOnRefusal(
      'FORBIDDEN',
      `${title} does not say under which name you are known. Ask who runs Millrace here.`,
      `The claim ${usernameClaim} has no user name.`,
    );
  const isVerified = claims['email_verified'] !== false;
  return {
    issuer: claims.iss,
    subject: claims.sub,
    username,
    email: isVerified ? plain(claims['email']) : '',
    firstName: plain(claims['given_name']),
    lastName: plain(claims['family_name']),
    roles: barred === undefined ? rolesFor(settings, claims) : [],
    barred,
  };
}

function lackOf({ require }: Naming, claims: Claims): string | undefined {
  const lacking = Object.entries(require).find(([name, value]) => claims[name] !== value);
  return lacking && `The claim ${lacking[0]} is not what is required.`;
}

/** The names of the roles, each once. */
function rolesFor(settings: Naming, claims: Claims): string[] {
  const groups = groupsIn(settings, claims);
  const byForm = new Map(Object.entries(settings.groups).map(([name, roles]) => [commonForm(name), roles]));
  const given = groups.flatMap((group) => byForm.get(commonForm(group)) ?? []);
  return [...new Set([...settings.roles, ...given])];
}

/**
 * The groups in the claims. Entra ID leaves them out when there are too many, and says so: to read that as no groups would take roles away.
 */
function groupsIn(settings: Naming, claims: Claims): string[] {
  const way = [settings.groupsClaim].flat();
  const [first = ''] = way;
  const elsewhere = claims['_claim_names'] as Record<string, unknown> | undefined;
  if (Object.keys(settings.groups).length > 0 && elsewhere?.[first] !== undefined)
    throw new SignOnRefusal(
      'FORBIDDEN',
      `You are in more groups than ${settings.title} tells. Ask who runs Millrace here to have it tell only those that count.`,
      `The claim ${first} was left out, because there are too many groups.`,
    );
  let found: unknown = claims;
  for (const name of way) found = isObject(found) ? found[name] : undefined;
  const list: unknown[] = Array.isArray(found) ? found : [found];
  return list.filter((group) => typeof group === 'string');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function textOf(value: unknown, longest: number): string {
  return typeof value === 'string' ? value.slice(0, longest) : '';
}

/** A text about a person, left out when it is not plain text: the log-in matters more. */
function plain(value: unknown): string {
  const text = textOf(value, 255);
  return textProblems('', [text]).length > 0 ? '' : text;
}
