import { stringifyJson, type Schemas } from '@millrace/api';
import type { Change } from '../dialogs/changes.ts';
import { acts } from '../messages/acts.ts';
import { LongText } from '../page/long-text.tsx';
import { Text } from '../page/text.tsx';
import { Time } from '../page/time.tsx';
import { Changes } from './changes.tsx';
import { dataChangeIn } from './edit-rules.ts';
import css from './item.module.css';
import { m } from './messages.ts';

type Event = Schemas['WorkItemEvent'];

interface Props {
  readonly events: readonly Event[];
  readonly isMore: boolean;
}

/** Every change of an item: when, by whom, from what to what, and why. */
export function Timeline({ events, isMore }: Props) {
  return (
    <>
      <ol className={css.timeline}>
        {events.map((event, index) => (
          <li key={String(event.id)}>
            <Time on={event.on} />
            <div>
              <b>
                <Text>{acts.actor(event)}</Text>
              </b>{' '}
              <Text>{acts.didTo(event.operation, m.item.thisOne)}</Text>
              {event.to !== event.from && (
                <span className={css.change}>
                  {event.from && `${m.status[event.from]} → `}
                  {event.to ? m.status[event.to] : m.item.gone}
                </span>
              )}
              {event.reason && (
                <q>
                  <LongText>{event.reason}</LongText>
                </q>
              )}
              <Members event={event} differences={dataChangeIn(event, events.slice(0, index))} />
            </div>
          </li>
        ))}
      </ol>
      {isMore && <p>{m.item.more(events.length)}</p>}
    </>
  );
}

interface MembersProps {
  readonly event: Event;
  readonly differences: readonly Change[] | undefined;
}

/** The other changes of an event; of data known from before, the differences. */
function Members({ event: { changes = {} }, differences }: MembersProps) {
  const { json: _, ...others } = changes;
  const told = differences ? others : changes;
  return (
    <>
      {Object.keys(told).length > 0 && (
        <details>
          <summary>{m.item.inFull}</summary>
          <code>
            <LongText>{stringifyJson(told)}</LongText>
          </code>
        </details>
      )}
      {differences && (
        <details>
          <summary>
            <Text>{m.item.dataChanged(differences.map(({ name }) => name).join(', '))}</Text>
          </summary>
          <Changes changes={differences} before={m.edit.before} after={m.edit.after} />
        </details>
      )}
    </>
  );
}
