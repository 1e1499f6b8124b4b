import type { Person } from '../../engine/provider.ts';
import { commonForm, textProblems } from '../../engine/checks.ts';
import { Refusal } from '../../engine/errors.ts';
import type { ProviderSettings } from './settings.ts';

/** A refused sign-on: the message for its person, and the reason for the record. */
export class SignOnRefusal extends Refusal {
  readonly reason: string;

  constructor(code: 'UNAUTHENTICATED' | 'FORBIDDEN' | 'UNAVAILABLE', message: string, reason: string) {
    super(code, message, code === 'UNAVAILABLE' ? { retryAfter: 5 } : {});
    this.reason = reason;
  }
}

/** The claims of a provider about somebody, proved to come from the provider. */
export type Claims = Readonly<Record<string, unknown>> & { readonly iss: string; readonly sub: string };

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

export function forbidden({ title }: Pick<Naming, 'title'>, reason: string): SignOnRefusal {
  return new SignOnRefusal(
    'FORBIDDEN',
    `${title} knows you, but you are not among those who may use Millrace. Ask who runs it here.`,
    reason,
  );
}

function textOf(value: unknown, longest: number): string {
  return typeof value === 'string' ? value.slice(0, longest) : '';
}

/** A text about a person, left out when it is not plain text: the log-in matters more. */
function plain(value: unknown): string {
  const text = textOf(value, 255);
  return textProblems('', [text]).length > 0 ? '' : text;
}
