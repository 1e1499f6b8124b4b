import { createHash, randomBytes } from 'node:crypto';
import type { Id, Schemas } from '@millrace/api';
import { sql, type Db } from '../../engine/db.ts';
import { Refusal } from '../../engine/errors.ts';
import { createFairLimiter, createLimiter } from '../../engine/limiter.ts';
import type { Functions, PublicContext, SteppedContext } from '../../engine/operation.ts';
import type { BegunSignOn, Provider } from '../../engine/provider.ts';
import { hashOf, networkOf, recordFailure } from '../auth/failures.ts';
import { invalid } from '../users/rules.ts';
import { enter, selectTenant } from './enter.ts';
import { SignOnRefusal } from './refusals.ts';

// As for log-ins: a flood from one address takes nothing from another. Most of the time is spent waiting for the provider.
const limit = createFairLimiter({ atOnce: 20, waiting: 100, waitingInAll: 1000, refusal: busy });

// However many wait for a provider, they use few connections at a time.
const limitSteps = createLimiter({ atOnce: 4, waiting: 1000, refusal: busy });
const inTurn =
  ({ transact }: SteppedContext): SteppedContext['transact'] =>
  (work) =>
    limitSteps(() => transact(work));

export const beginSignOn: Functions['beginSignOn'] = async (context, { body }) => {
  const { client, providers, log } = context;
  const transact = inTurn(context);
  const { next, port } = body;
  if (next !== undefined && !isConsolePath(next))
    throw invalid([{ field: 'next', message: 'must be a path of the console, such as /console/queues' }]);
  const provider = find(providers, body.provider);
  const network = networkOf(client.address);
  const signOn = { secret: randomBytes(32).toString('base64url'), redirectUri: provider.redirectUri(port) };
  return limit(network)(async () => {
    const url = await provider.begin(signOn).catch((error: unknown) => {
      if (error instanceof SignOnRefusal)
        log.warn({ provider: provider.name, reason: error.reason }, 'a sign-on could not begin');
      throw error;
    });
    await transact((step) => insertSignOn(step, { ...signOn, provider: provider.name, next, network }));
    return { url, secret: signOn.secret };
  });
};

export const finishSignOn: Functions['finishSignOn'] = async (context, { body }) => {
  const { client, providers } = context;
  const transact = inTurn(context);
  return limit(networkOf(client.address))(async () => {
    const begun = await transact((step) => takeSignOn(step, body.secret));
    if (!begun) throw notBegun();
    const provider = find(providers, begun.provider);
    try {
      const person = await provider.prove({ ...begun, secret: body.secret }, body);
      const more = await wayOut(provider);
      const others = providers.map(({ name }) => name).filter((name) => name !== provider.name);
      const session = await transact((step) => enter(step, provider, person, others));
      if (session instanceof Refusal) throw session;
      return { ...session, ...(begun.next !== undefined && { next: begun.next }), ...more };
    } catch (error) {
      if (error instanceof Refusal) await transact((step) => recordRefusal(step, provider, error));
      throw error;
    }
  });
};

function find(providers: readonly Provider[], name: string): Provider {
  const provider = providers.find((one) => one.name === name);
  if (provider) return provider;
  throw new Refusal(
    'NOT_FOUND',
    `Nobody signs on here by ${JSON.stringify(name.slice(0, 40))}. GET /v2/authentication/methods lists how people log in.`,
  );
}

function busy(): Refusal {
  return new Refusal(
    'UNAVAILABLE',
    'Too many sign-ons from this address are waiting already. Try again shortly.',
    {
      retryAfter: 1,
    },
  );
}

function notBegun(): Refusal {
  return new Refusal(
    'UNAUTHENTICATED',
    'This sign-on was not begun here, has been used, or took longer than ten minutes. Begin anew at the log-in page.',
  );
}

async function wayOut(provider: Provider): Promise<Pick<Schemas['Session'], 'logOutUrl'>> {
  const logOutUrl = await provider.logOutUrl();
  return logOutUrl === undefined ? {} : { logOutUrl };
}

const minutes = 10;
const mostOfNetwork = 1000;

interface NewSignOn extends BegunSignOn {
  readonly provider: string;
  readonly next: string | undefined;
  readonly network: string;
}

async function insertSignOn({ db, now }: PublicContext, signOn: NewSignOn): Promise<void> {
  const { secret, provider, redirectUri, next, network } = signOn;
  const [open] = await db.rows<{ count: number }>(sql`
    select count(*)::int as count from sign_ons where network = ${network} and expires_on > ${now}`);
  if (open && open.count >= mostOfNetwork)
    throw new Refusal(
      'TOO_MANY_REQUESTS',
      `${mostOfNetwork} sign-ons were begun from this address and not finished. Try again in some minutes.`,
      { retryAfter: 60 },
    );
  await db.rows(sql`
    insert into sign_ons (secret_hash, provider, redirect_uri, next, network, expires_on)
    values (${digest(secret)}, ${provider}, ${redirectUri}, ${next}, ${network},
      ${now}::timestamptz + ${minutes} * interval '1 minute')`);
}

interface TakenSignOn {
  readonly provider: string;
  readonly redirectUri: string;
  readonly next?: string;
}

/** The sign-on that began with a secret, deleted so that the secret works once. */
function takeSignOn({ db, now }: PublicContext, secret: string): Promise<TakenSignOn | undefined> {
  return db.row<TakenSignOn>(sql`
    delete from sign_ons where secret_hash = ${digest(secret)} and expires_on > ${now}
    returning provider, redirect_uri as "redirectUri", next`);
}

function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** Records a refusal once a minute for each reason, provider and address, with their number. */
async function recordRefusal(
  step: PublicContext,
  { name, tenant }: Provider,
  refusal: Refusal,
): Promise<void> {
  const reason = refusal instanceof SignOnRefusal ? refusal.reason : refusal.message;
  const subject = hashOf(
    sql`'sign-on ' || ${name}::text || ' ' || ${networkOf(step.client.address)}::text || ' ' || ${reason}::text`,
  );
  await recordFailure(step, subject, {
    operation: 'finishSignOn',
    tenantId: await tenantIdOf(step.db, tenant),
    reason,
    changes: { provider: name, ...step.client },
  });
}

async function tenantIdOf(db: Db, name: string): Promise<Id | undefined> {
  return (await selectTenant(db, name))?.id;
}

/** Whether an address leads to a page of the console, and nowhere else. */
export function isConsolePath(next: string): boolean {
  if (!next.startsWith('/console/') || /[\\\p{Cc}]/u.test(next)) return false;
  const here = 'https://here.invalid';
  const { origin, pathname } = new URL(next, here);
  return origin === here && pathname.startsWith('/console/') && !pathname.includes('//');
}
