import { actorKindOf, stringifyJson, type ActorKind, type Schemas } from '@millrace/api';
import { useState } from 'react';
import { Button } from 'react-aria-components';
import type { Change } from '../dialogs/changes.ts';
import { acts } from '../messages/acts.ts';
import { Choice } from '../page/fields.tsx';
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
  /** Reads the next of them, where there are more. */
  readonly onMore: (() => void) | undefined;
}

/** Every change of an item: when, by whom, from what to what, and why. */
export function Timeline({ events, onMore }: Props) {
  const [kind, setKind] = useState<ActorKind>();
  const shown = events.filter((event) => kind === undefined || actorKindOf(event) === kind);
  return (
    <>
      <Choice
        label={m.item.whose}
        value={kind ?? ''}
        none={m.item.ofAll}
        choices={m.item.kinds}
        onChange={setKind}
      />
      {shown.length === 0 && <p>{m.item.noneOf}</p>}
      <ol className={css.timeline}>
        {shown.map((event) => (
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
              <Members
                event={event}
                differences={dataChangeIn(event, events.slice(0, events.indexOf(event)))}
              />
            </div>
          </li>
        ))}
      </ol>
      {onMore && (
        <p>
          {m.item.more(events.length)} <Button onPress={onMore}>{m.item.further}</Button>
        </p>
      )}
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
