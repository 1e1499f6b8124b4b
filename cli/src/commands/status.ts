import { ApiError, createClient, stringifyJson, type Client, type Schemas } from '@millrace/api';
import type { Command } from 'commander';
import { serverUrl } from '../access.ts';
import { printFields } from '../answer.ts';
import { cellsOf } from '../cells.ts';
import { addCallFlags, type CallFlags, type Context } from '../context.ts';
import { readCredentials } from '../credentials.ts';
import { exitCodes } from '../errors.ts';
import { drawColumns } from '../table.ts';
import type { Terminal } from '../terminal.ts';

type Condition = Partial<Schemas['Condition']> & Pick<Schemas['Condition'], 'message'>;

/** The state of a server, whether or not it can serve. */
interface Status {
  readonly status: 'UP' | 'DOWN';
  readonly version: string;
  /** The time from which it has been so. */
  readonly since: string | undefined;
  /** Conditions that somebody should mend, the worst first. */
  readonly conditions: readonly Condition[];
}

const timeoutSeconds = 10;

/** `millrace status`: the state of the server. */
export function addStatus(program: Command, context: Context): Command {
  const command = program
    .command('status')
    .summary('How the server is')
    .description(
      'Say whether the server can work, since when, and what somebody should mend. No log-in is needed. The exit code is 0 when ' +
        'it can work, also with warnings, 1 when it cannot, and 3 when nobody answers.',
    );
  return addCallFlags(command).action(() => showStatus(context, command.optsWithGlobals<CallFlags>()));
}

async function showStatus({ config, terminal }: Context, flags: CallFlags): Promise<void> {
  const url = serverUrl(config, readCredentials(config.folder), flags.url);
  const status = await statusOf(createClient({ url }));
  if (flags.json === true) terminal.out(stringifyJson({ url, ...status }));
  else printStatus(terminal, url, status);
  if (status.status === 'DOWN') process.exitCode = exitCodes.refused;
}

/** @throws ApiError when something else answers than a server of Millrace, ConnectionError when nobody does. */
async function statusOf(client: Client): Promise<Status> {
  try {
    const { warnings: conditions, ...ready } = await client.getReadiness({}, { timeoutSeconds });
    return { ...ready, conditions };
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 503 || error.code !== 'UNAVAILABLE') throw error;
    const { message, details } = error;
    const conditions = details.length > 0 ? details : [{ message }];
    const { info } = (await client.getContract({}, { timeoutSeconds })) as { info: { version: string } };
    return { status: 'DOWN', version: info.version, since: conditions[0]?.since, conditions };
  }
}

/** Writes the status for a person: a verdict, and the conditions to mend. */
export function printStatus(terminal: Terminal, url: string, { status, conditions, ...rest }: Status): void {
  const { bold, green, red, yellow } = terminal.outColors;
  const isUp = status === 'UP';
  const summary = isUp ? (conditions.length === 0 ? 'works' : 'works, with warnings') : 'cannot work';
  const color = isUp ? (conditions.length === 0 ? green : yellow) : red;
  terminal.out(`${url} ${color(bold(summary))}.`);
  printFields(terminal, { ...rest, database: databaseOf(conditions) });
  if (conditions.length === 0) return;
  const columns = cellsOf(
    ['since', 'code', 'message'],
    conditions.map((one) => ({ ...one })),
  );
  terminal.out(`\n${drawColumns(columns, (head) => bold(head))}`);
}

function databaseOf(conditions: readonly Condition[]): string {
  const codes = conditions.map(({ code }) => code);
  if (codes.includes('DATABASE_AWAY')) return 'does not answer';
  return codes.includes('DATABASE_READ_ONLY') ? 'takes no changes' : 'answers';
}
