import { stringifyJson, type Schemas } from '@millrace/api';
import type { Command } from 'commander';
import { openClient } from '../access.ts';
import { cellsOf } from '../cells.ts';
import { columnsOf } from '../columns.ts';
import { addCallFlags, type CallFlags, type Context } from '../context.ts';
import { describe } from '../contract.ts';
import { Interrupted } from '../errors.ts';
import { namesOf } from '../kinds.ts';
import { idOf } from '../names.ts';
import { drawColumns } from '../table.ts';
import { oneLine, type Terminal } from '../terminal.ts';

const operationId = 'streamQueueStats';

/** `millrace queue watch`: the figures of queues, again whenever they change. */
export function addQueueWatch(parent: Command, context: Context): void {
  const command = parent
    .command('watch')
    .summary(describe(operationId).operation.summary)
    .description(
      'Print the figures of queues, and again those of each queue in which something happens, at most once a second, until ' +
        'Ctrl-C. With --json each line is a message, whose cursor tells where it stands.',
    )
    .argument('[queues...]', `${namesOf('queue')}; all that one may see unless some are named`);
  addCallFlags(command).action((queues: string[]) =>
    watch(context, queues, command.optsWithGlobals<CallFlags>()),
  );
}

async function watch({ config, terminal }: Context, queues: readonly string[], flags: CallFlags) {
  const client = await openClient(config, flags.url);
  const ids = [];
  for (const queue of queues) ids.push(await idOf(client, 'queue', queue));
  const query = ids.length > 0 ? { queueIds: ids.join(',') } : {};
  const stop = new AbortController();
  const interrupt = () => stop.abort(new Interrupted());
  process.once('SIGINT', interrupt);
  try {
    for await (const message of client.streamQueueStats({ query }, { signal: stop.signal })) {
      if (flags.json === true) terminal.out(stringifyJson(message));
      else print(terminal, message);
    }
  } finally {
    process.off('SIGINT', interrupt);
  }
}

function print(terminal: Terminal, { list }: Schemas['QueueStatsMessage']): void {
  const { bold } = terminal.outColors;
  const table = drawColumns(cellsOf(columnsOf('listQueueStats'), list), (head) => bold(oneLine(head)));
  terminal.out(`${table}\n`);
}
