import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createQueue } from '../../server/src/testing/fixtures.ts';
import { startSealedApp } from '../../server/src/testing/secrets.ts';
import { addTenant } from '../../server/src/testing/tenant.ts';
import { startProvider } from '../../server/src/testing/sign-on.ts';
import type { Attack, Place } from './attack.ts';
import { files, input } from './inputs.ts';
import { authentication } from './log-ins.ts';
import { record } from './record.ts';
import { authorisation } from './rights.ts';
import { sensitive } from './sensitive.ts';
import { signOns } from './sign-ons.ts';
import { browser, denial, http, secrets } from './web.ts';

const groups: Record<string, readonly Attack[]> = {
  Authentication: authentication,
  'Single sign-on': signOns,
  Authorisation: authorisation,
  Input: input,
  Files: files,
  HTTP: http,
  Browser: browser,
  'Denial of service': denial,
  Secrets: [...secrets, ...sensitive, ...record],
};

const provider = await startProvider();
const app = await startSealedApp({ signOn: provider.settings() });
const place: Place = {
  app,
  queue: await createQueue(app),
  provider,
  nobody: await app.user('nobody', []),
  basic: await app.user('basic'),
  foreigner: await addTenant(app, 'second'),
};

describe.each(Object.entries(groups))('%s', (_, attacks) => {
  test.each(attacks.map((attack) => [attack.tried, attack] as const))('%s', async (_tried, { run }) => {
    await run(place);
    // The server survives every attack.
    expect((await app.as(undefined).getLiveness()).status).toBe(200);
  });
});

const page = new URL('../../docs/security.md', import.meta.url);

/** The list of all attacks, as in the documents. */
function list(): string {
  const parts = Object.entries(groups).map(([name, attacks]) => {
    const rows = attacks.map(({ tried, outcome }) => `| ${cell(tried)} | ${cell(outcome)} |`);
    return [`## ${name} (${attacks.length})`, '', '| tried | what happened |', '|---|---|', ...rows, ''].join(
      '\n',
    );
  });
  return parts.join('\n');
}

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');

test('docs/security.md lists what is tried here, and each attack once', async () => {
  const all = Object.values(groups).flat();
  expect(all.length).toBeGreaterThanOrEqual(130);
  for (const attacks of Object.values(groups))
    expect(new Set(attacks.map(({ tried }) => tried)).size).toBe(attacks.length);
  const [intro = ''] = readFileSync(page, 'utf8').split(/^## /m);
  await expect(`${intro}${list()}`).toMatchFileSnapshot('../../docs/security.md');
});
