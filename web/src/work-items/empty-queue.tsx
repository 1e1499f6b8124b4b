import type { Schemas } from '@millrace/api';
import { Link } from '@tanstack/react-router';
import { quoted } from '../dialogs/rules.ts';
import { Command, Notice } from '../page/states.tsx';
import { m } from './messages.ts';

/** What to do next with a queue that nothing was put into yet: put work in, and connect a bot that does it. */
export function EmptyQueue({ queue: { id, name = '' } }: { readonly queue: Schemas['Queue'] }) {
  const queue = quoted(name);
  const params = { id: String(id) };
  return (
    <Notice title={m.items.empty}>
      <h3>{m.empty.work}</h3>
      <p>
        <Link to="/queues/$id/upload" params={params}>
          {m.empty.upload}
        </Link>{' '}
        {m.empty.orCommand}
      </p>
      <Command label={m.empty.work}>
        {`millrace item create ${queue} --data '{…}'\nmillrace upload ${queue} items.csv`}
      </Command>
      <h3>{m.empty.bot}</h3>
      <p>
        {m.empty.botText}{' '}
        <Link to="/queues/$id/members" params={params}>
          {m.empty.members}
        </Link>{' '}
        · <Link to="/users">{m.empty.users}</Link> · <Link to="/apikeys">{m.empty.keys}</Link>
      </p>
      <Command label={m.empty.bot}>{connecting(queue)}</Command>
      <p>{m.empty.start}</p>
      <Command label={m.empty.start}>
        {[
          `export MILLRACE_URL=${location.origin} MILLRACE_USERNAME=bot-1 MILLRACE_API_KEY=…`,
          `millrace run --queue ${queue} -- python3 bot.py`,
        ].join('\n')}
      </Command>
    </Notice>
  );
}

/** The commands of an administrator that make a user for a bot, with a key and the right to work on the queue. */
function connecting(queue: string): string {
  return [
    "millrace user create --username bot-1 --roles 'AAE_Bot Runner'",
    'millrace api-key create --name bot-1 --user-id bot-1',
    `millrace queue add-consumer ${queue} --role-id 'AAE_Bot Runner'`,
  ].join('\n');
}
