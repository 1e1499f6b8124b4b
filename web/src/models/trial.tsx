import type { Id, Schemas } from '@millrace/api';
import { Link } from '@tanstack/react-router';
import { oneOf } from '../filters/ids.ts';
import { Text } from '../page/text.tsx';
import { m } from './messages.ts';
import type { marksIn } from './rules.ts';
import css from './models.module.css';

type Change = Schemas['WorkItemModelChange'];

interface Props {
  readonly trial: Change;
  readonly marks: ReturnType<typeof marksIn>;
}

/** The effect of a change: on how many items it acts, which values it hides or shows, and which items would not fit any more. */
export function Trial({ trial, marks: { hidden, shown: bared } }: Props) {
  const { queues, invalidItems } = trial;
  const open = queues.reduce((sum, { openItems }) => sum + openItems, 0);
  return (
    <>
      <p className={css.trial}>
        {m.models.holds(queues.length, open)}{' '}
        {invalidItems === 0 ? m.models.fits : m.models.invalid(invalidItems)}
      </p>
      {hidden !== '' && <p>{m.models.hides(hidden)}</p>}
      {bared !== '' && <p>{m.models.shows(bared)}</p>}
      {invalidItems > 0 && <Misfits trial={trial} />}
    </>
  );
}

const shown = 20;

/** The items that would not fit, each with what is in the way, and the way to those of each queue. */
function Misfits({ trial: { queues, invalidItems, invalid } }: Pick<Props, 'trial'>) {
  const nameOf = (queueId: Id) => queues.find(({ id }) => id === queueId)?.name ?? String(queueId);
  const idsIn = (queueId: Id) =>
    invalid.flatMap((one) => (one.queueId === queueId && one.itemId !== undefined ? [one.itemId] : []));
  const lines = invalid.slice(0, shown);
  return (
    <>
      <ul>
        {lines.map(({ queueId = 0, itemId = 0, field = '', message }, index) => (
          <li key={index}>
            <Link
              to="/queues/$id/workitems/$workItemId"
              params={{ id: String(queueId), workItemId: String(itemId) }}
            >
              {m.models.item(String(itemId))}
            </Link>{' '}
            <Text>{m.models.misfit(nameOf(queueId), `${field} ${message}`.trim())}</Text>
          </li>
        ))}
        {invalidItems > lines.length && <li>{m.models.moreMisfits(invalidItems - lines.length)}</li>}
      </ul>
      <p className={css.actions}>
        {queues.map(({ id, name }) => (
          <ToThose key={String(id)} queueId={id} name={name} ids={idsIn(id)} />
        ))}
      </p>
    </>
  );
}

interface ThoseProps {
  readonly queueId: Id;
  readonly name: string;
  readonly ids: readonly Id[];
}

/** The list of the items of a queue that do not fit, as far as they are known. */
function ToThose({ queueId, name, ids }: ThoseProps) {
  if (ids.length === 0) return undefined;
  return (
    <Link to="/queues/$id" params={{ id: String(queueId) }} search={{ q: oneOf(ids) }}>
      {m.models.misfitsOf(name)}
    </Link>
  );
}
