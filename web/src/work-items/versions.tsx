import type { Schemas } from '@millrace/api';
import { ChevronLeft, ChevronRight } from 'lucide-react';
import { useState } from 'react';
import { Button } from 'react-aria-components';
import { changesBetween } from '../dialogs/changes.ts';
import { JsonView } from '../json/json-view.tsx';
import { acts } from '../messages/acts.ts';
import { useKey } from '../page/keys.ts';
import { Text } from '../page/text.tsx';
import { exactly, Time } from '../page/time.tsx';
import { Changes } from './changes.tsx';
import { versionsOf, type DataVersion } from './edit-rules.ts';
import css from './item.module.css';
import { m } from './messages.ts';

type Event = Schemas['WorkItemEvent'];
type Version = DataVersion<Event>;

/** The data of an item from each change to the next, and the differences between two of these states; `←` and `→` step through. */
export function Versions({ events }: { readonly events: readonly Event[] }) {
  const versions = versionsOf(events);
  const last = versions.length - 1;
  // The newest, until another is picked.
  const [picked, setPicked] = useState<number>();
  const at = picked ?? last;
  const go = (to: number) => {
    if (isScrolled() || versions[to] === undefined) return false;
    setPicked(to);
    return true;
  };
  useKey('ArrowLeft', () => go(at - 1));
  useKey('ArrowRight', () => go(at + 1));
  const version = versions[at];
  if (!version) return undefined;
  return (
    <section aria-label={m.item.versions}>
      <h2>{m.item.versions}</h2>
      <p className={css.logTools}>
        <Button
          className="icon"
          aria-label={m.item.earlier}
          isDisabled={at === 0}
          onPress={() => void go(at - 1)}
        >
          <ChevronLeft size={17} aria-hidden="true" />
        </Button>
        <b role="status">{m.item.version(at + 1, versions.length)}</b>
        <Button
          className="icon"
          aria-label={m.item.later}
          isDisabled={at === last}
          onPress={() => void go(at + 1)}
        >
          <ChevronRight size={17} aria-hidden="true" />
        </Button>
        <Made event={version.event} />
      </p>
      <Difference key={at} versions={versions} at={at} />
      <JsonView label={m.item.version(at + 1, versions.length)} value={version.data} />
    </section>
  );
}

/** Whether the arrows scroll a focused text sideways. */
function isScrolled(): boolean {
  return document.activeElement?.matches('pre') === true;
}

function Made({ event }: { readonly event: Event }) {
  return (
    <span>
      <Text>{acts.actor(event)}</Text> <Text>{acts.didTo(event.operation, m.item.thisOne)}</Text>,{' '}
      <Time on={event.on} />
    </span>
  );
}

interface DifferenceProps {
  readonly versions: readonly Version[];
  readonly at: number;
}

/** The differences from another version, by default the one before. */
function Difference({ versions, at }: DifferenceProps) {
  const [other, setOther] = useState(at - 1);
  const version = versions[at];
  const compared = versions[other];
  return (
    <>
      {versions.length > 1 && (
        <label>
          {m.item.comparedWith}{' '}
          <select value={other} onChange={({ target }) => setOther(Number(target.value))}>
            {other < 0 && <option value={-1}>{m.item.versionBefore}</option>}
            {versions.map(({ event }, index) => (
              <option key={String(event.id)} value={index}>
                {`${m.item.version(index + 1, versions.length)}, ${exactly(event.on)}`}
              </option>
            ))}
          </select>
        </label>
      )}
      {version && compared ? (
        <Changes
          changes={changesBetween(compared.data, version.data)}
          before={m.item.version(other + 1, versions.length)}
          after={m.item.version(at + 1, versions.length)}
        />
      ) : (
        <p>{m.item.firstKnown}</p>
      )}
    </>
  );
}
