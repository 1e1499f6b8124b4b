import { readFileSync } from 'node:fs';
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { parseDocument } from 'yaml';
import type { Config } from '../../engine/config.ts';
import { worded } from '../../engine/wordings.ts';

/** A provider as the operator has set it. */
export interface ProviderSettings {
  readonly name: string;
  readonly title: string;
  /** The name of the tenant whose people it knows. */
  readonly tenant: string;
  readonly issuer: string;
  readonly clientId: string;
  /** Left out for a client without a secret. */
  readonly clientSecret?: string;
  readonly clientAuthentication: 'client_secret_post' | 'client_secret_basic';
  /** Beside openid. */
  readonly scopes: readonly string[];
  /** Whether claims are also requested with the access token. */
  readonly userInfo: boolean;
  readonly usernameClaim: string;
  /** The name of the claim, or its path through objects. */
  readonly groupsClaim: string | readonly string[];
  /** The names of the roles that everybody gets. */
  readonly roles: readonly string[];
  /** The names of the roles that a group gives. */
  readonly groups: Readonly<Record<string, readonly string[]>>;
  /** Values that claims must have. */
  readonly require: Readonly<Record<string, string | number | boolean>>;
  /** Whether a log-out from the console leads to the provider, to log out there. */
  readonly logOutThere: boolean;
}

interface SignOnSettings {
  /** The origin at which browsers reach this server. */
  readonly publicUrl: string;
  readonly providers: readonly ProviderSettings[];
}

const text = { type: 'string', minLength: 1, maxLength: 1000 };
const names = { type: 'array', maxItems: 100, items: text, uniqueItems: true };

const provider = {
  type: 'object',
  required: ['name', 'issuer', 'clientId'],
  additionalProperties: false,
  properties: {
    name: { type: 'string', maxLength: 40, pattern: '^[a-z0-9]+(-[a-z0-9]+)*$' },
    title: { type: 'string', minLength: 1, maxLength: 60 },
    tenant: { type: 'string', minLength: 1, maxLength: 255 },
    issuer: text,
    clientId: text,
    clientSecret: text,
    clientSecretFile: text,
    clientAuthentication: { enum: ['client_secret_post', 'client_secret_basic'] },
    scopes: { ...names, items: { ...text, pattern: '^\\S+$' } },
    userInfo: { type: 'boolean' },
    usernameClaim: text,
    groupsClaim: { type: ['string', 'array'], minLength: 1, maxItems: 10, minItems: 1, items: text },
    roles: names,
    groups: { type: 'object', maxProperties: 1000, additionalProperties: names },
    require: {
      type: 'object',
      maxProperties: 20,
      additionalProperties: { type: ['string', 'number', 'boolean'] },
    },
    logOutThere: { type: 'boolean' },
  },
};

const schema = {
  type: 'object',
  required: ['publicUrl', 'providers'],
  additionalProperties: false,
  properties: {
    publicUrl: text,
    providers: { type: 'array', minItems: 1, maxItems: 50, items: provider },
  },
};

/** As it is written. */
interface Written {
  readonly publicUrl: string;
  readonly providers: readonly (Partial<ProviderSettings> &
    Pick<ProviderSettings, 'name' | 'issuer' | 'clientId'> & { readonly clientSecretFile?: string })[];
}

type WrittenProvider = Written['providers'][number];

/**
 * The providers by which people sign on; undefined where there are none.
 * @throws Error that names all unusable settings, and never a secret
 */
export function readSignOn({
  signOn,
  signOnFile,
}: Pick<Config, 'signOn' | 'signOnFile'>): SignOnSettings | undefined {
  const written =
    signOn ?? (signOnFile === undefined ? undefined : readText('MILLRACE_SIGN_ON_FILE', signOnFile));
  if (written === undefined) return undefined;
  const where = signOnFile ?? 'MILLRACE_SIGN_ON';
  const settings = parse(written, where);
  const problems = problemsOf(settings);
  if (problems.length > 0) throw new Error(problems.map((problem) => `${where}: ${problem}.`).join('\n'));
  const { publicUrl, providers } = settings;
  return { publicUrl: new URL(publicUrl).origin, providers: providers.map(completed) };
}

function readText(what: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`${what} is ${file}, which cannot be read: ${(error as Error).message}.`, {
      cause: error,
    });
  }
}

/** YAML, and so JSON as well. The error shows no line, as there may be a secret in it. */
function parse(written: string, where: string): Written {
  const document = parseDocument(written, { prettyErrors: false });
  const [problem] = document.errors;
  if (problem) {
    const line = written.slice(0, problem.pos[0]).split('\n').length;
    throw new Error(`${where} is no YAML: ${problem.code} at line ${line}.`);
  }
  return document.toJS({ maxAliasCount: 0 }) as Written;
}

const isValid = new Ajv2020({ allErrors: true, strictTypes: false }).compile<Written>(schema);

function problemsOf(settings: Written): string[] {
  if (!isValid(settings)) return (isValid.errors ?? []).map(described);
  const { publicUrl, providers } = settings;
  const repeated = providers.filter(
    ({ name }, index) => providers.findIndex((one) => one.name === name) < index,
  );
  return [
    ...urlProblems('publicUrl', publicUrl, true),
    ...repeated.map(({ name }) => `there are two providers with the name ${name}`),
    ...providers.flatMap(problemsOfProvider),
  ];
}

function described({ instancePath, keyword, params, ...error }: ErrorObject): string {
  const path = instancePath.slice(1).replaceAll('/', '.');
  const { additionalProperty, missingProperty } = params as Record<string, string | undefined>;
  const member = [path, additionalProperty ?? missingProperty ?? ''].filter(Boolean).join('.') || 'it';
  if (additionalProperty !== undefined) return `${member} is not a setting`;
  if (missingProperty !== undefined) return `${member} is missing`;
  if (keyword === 'pattern')
    return `${member} must be small letters and digits, with single hyphens between, as in acme-staff`;
  return `${member} ${worded({ instancePath, keyword, params, ...error })}`;
}

function problemsOfProvider(one: WrittenProvider): string[] {
  const { name, issuer, clientSecret, clientSecretFile, groups = {}, roles = [] } = one;
  const problem = (said: string) => `the provider ${name} ${said}`;
  return [
    ...urlProblems(`the issuer of ${name}`, issuer, false),
    ...(clientSecret !== undefined && clientSecretFile !== undefined
      ? [problem('has clientSecret and clientSecretFile; keep one of them')]
      : []),
    ...(roles.length === 0 && Object.keys(groups).length === 0
      ? [
          problem(
            'gives nobody a role: say in groups which groups give which roles, or in roles what everybody gets',
          ),
        ]
      : []),
    ...(isForAnybody(one)
      ? [
          problem(
            'would let in everybody with a Google account: say in require which domain, as in hd: example.com',
          ),
        ]
      : []),
    ...(Object.values(groups).flat().concat(roles).includes('AAE_Operator')
      ? [problem('gives AAE_Operator, which no provider can: give it by hand')]
      : []),
  ];
}

/** Google proves any person with an account there, from any company or none. */
function isForAnybody({ issuer, require = {} }: WrittenProvider): boolean {
  return new Set(['accounts.google.com']).has(hostOf(issuer)) && !Object.hasOwn(require, 'hd');
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).hostname : '';
}

/** Codes and tokens travel over these URLs: without TLS on this machine only. */
function urlProblems(what: string, url: string, isOrigin: boolean): string[] {
  if (!URL.canParse(url)) return [`${what} must be an address that begins with https://, not ${url}`];
  const { protocol, hostname, pathname, search, hash, username } = new URL(url);
  const isLocal = protocol === 'http:' && isLoopback(hostname);
  if (protocol !== 'https:' && !isLocal)
    return [`${what} must begin with https://, but for an address of this machine, not ${url}`];
  if (search || hash || username) return [`${what} must have no user, query or fragment`];
  return isOrigin && pathname !== '/' ? [`${what} must end behind the host, without a path`] : [];
}

function isLoopback(hostname: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

function completed({ clientSecretFile, ...written }: WrittenProvider): ProviderSettings {
  const secret =
    clientSecretFile === undefined
      ? written.clientSecret
      : readText(`clientSecretFile of the provider ${written.name}`, clientSecretFile).trim();
  return {
    title: written.name,
    tenant: 'default',
    clientAuthentication: 'client_secret_post',
    scopes: ['profile', 'email'],
    userInfo: false,
    usernameClaim: 'preferred_username',
    groupsClaim: 'groups',
    roles: [],
    groups: {},
    require: {},
    logOutThere: true,
    ...written,
    ...(secret !== undefined && { clientSecret: secret }),
  };
}
