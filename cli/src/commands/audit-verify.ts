import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseJson, stringifyJson, type Client, type Input, type Output } from '@millrace/api';
import type { Command } from 'commander';
import { openClient } from '../access.ts';
import { addCallFlags, type CallFlags, type Context } from '../context.ts';
import { exitCodes } from '../errors.ts';
import { createLiveLine } from '../live-line.ts';
import { exitOf, locatePart, spawnScript } from '../own-process.ts';
import { oneLine, type Terminal } from '../terminal.ts';

type Part = Output<'verifyAudit'>;

interface Flags extends CallFlags {
  readonly head?: string;
  readonly keys?: string;
  readonly local?: boolean;
  readonly data?: string;
  readonly tenant?: string;
}

/** The findings in all parts together. */
interface Found {
  readonly seals: Part['seals'];
  readonly events: number;
  readonly erased: number;
  readonly problems: Part['problems'];
  readonly keys: readonly string[];
  readonly waiting: number;
  readonly head?: string;
}

const timeoutSeconds = 120;

/** `millrace audit verify`: whether the audit trail is as it was sealed, all of it, part by part. */
export function addAuditVerify(command: Command, context: Context): void {
  command
    .summary('Prove that nothing of the audit trail was changed or taken away')
    .description(
      'Compare every event with its seal, and every seal with its signature and the one before it, and say what was changed, taken away, put in ' +
        'or brought out of order since; then the exit code is 1. What was erased by rule, on record, is counted; what waits to be sealed is not looked at.',
    )
    .option('--head <seal>', 'A seal that `millrace audit head` told earlier, as NUMBER:HASH')
    .option(
      '--keys <ids>',
      'The keys that may sign, as `millrace audit head` told earlier, with commas between',
    )
    .option(
      '--local',
      'On the machine of the server, without it: look into its database, also while it stands still',
    )
    .option('--data <folder>', 'With --local, the folder of the embedded database (MILLRACE_DATA; ./data)')
    .option('--tenant <name>', 'With --local, the tenant whose trail it is; all when left out');
  addCallFlags(command).action(() => verify(context, command.optsWithGlobals<Flags>()));
}

async function verify({ config, terminal }: Context, flags: Flags): Promise<void> {
  if (flags.local === true) return verifyLocally(terminal, flags);
  const client = await openClient(config, flags.url);
  tell(terminal, flags, await verifyAll(client, terminal, flags));
}

function tell(terminal: Terminal, { json }: Flags, found: Found): void {
  if (json === true) terminal.out(stringifyJson(found));
  else say(terminal, found);
  if (found.problems.length > 0) process.exitCode = exitCodes.refused;
}

/** Runs a process that looks into the database and writes a line of JSON for each tenant. */
async function verifyLocally(terminal: Terminal, flags: Flags): Promise<void> {
  const script = locatePart('@millrace/server/verify-audit', 'npx millrace audit verify --local');
  const options = (['head', 'keys', 'tenant'] as const).flatMap((name) => {
    const value = flags[name];
    return value === undefined ? [] : [`--${name}`, value];
  });
  const streams = ['inherit', 'pipe', 'inherit'] as const;
  const own = spawnScript([fileURLToPath(script), ...options], { MILLRACE_DATA: flags.data }, [...streams]);
  const [lines, code] = await Promise.all([text(own.stdout as Readable), exitOf(own)]);
  if (code !== 0) process.exitCode = code;
  for (const line of lines.split('\n').filter(Boolean)) {
    const { tenant, ...found } = parseJson(line) as Found & { readonly tenant: string };
    if (flags.json !== true) terminal.say(`Tenant ${tenant}:`);
    if (flags.json === true) terminal.out(line);
    else say(terminal, found);
    if (found.problems.length > 0) process.exitCode = exitCodes.refused;
  }
}

async function verifyAll(client: Client, terminal: Terminal, { head, keys }: Flags): Promise<Found> {
  const line = createLiveLine(terminal);
  const found = { seals: 0 as Part['seals'], events: 0, erased: 0, problems: [] as Part['problems'] };
  const signers = new Set<string>();
  try {
    for (let query: Input<'verifyAudit'>['query'] | undefined = {}; query !== undefined;) {
      const part: Part = await client.verifyAudit(
        { query: { ...query, ...(head && { head }), ...(keys && { keys }) } },
        { timeoutSeconds },
      );
      add(found, part);
      for (const key of part.keys) signers.add(key);
      line.update(
        `Verifying: seal ${part.seals} of ${part.sealsInAll}, ${found.events} events, ${found.problems.length} problems`,
      );
      query = part.cursor === undefined ? undefined : { after: part.cursor };
    }
  } finally {
    line.end();
  }
  const newest = await client.getAuditHead({}, { timeoutSeconds });
  const { waiting } = newest;
  return { ...found, keys: [...signers], waiting, ...(newest.head && { head: newest.head }) };
}

type Sum = { -readonly [K in 'seals' | 'events' | 'erased' | 'problems']: Found[K] };

function add(found: Sum, { seals, events, erased, problems }: Part): void {
  found.seals = seals;
  found.events += events;
  found.erased += erased;
  found.problems.push(...problems);
}

function say(terminal: Terminal, { seals, events, erased, problems, keys, waiting, head }: Found): void {
  for (const { kind, message } of problems) terminal.out(oneLine(`${kind}  ${message}`));
  const looked = `${events} events in ${seals} seals, ${erased} of them erased by rule; ${waiting} wait to be sealed.`;
  if (problems.length > 0) terminal.say(`Not as it was sealed: ${problems.length} problems. ${looked}`);
  else terminal.out(`Everything is as it was sealed: ${looked}`);
  if (head !== undefined && problems.length === 0)
    terminal.say(
      `Note where nobody of the database can write, for the next time: --head ${head} --keys ${keys.join(',')}`,
    );
}
