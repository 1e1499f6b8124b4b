import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { exactly } from '../page/time.tsx';
import { m } from './messages.ts';
import { endingOperations, outcomesQuery } from './queries.ts';
import { outcomesOn } from './rules.ts';

const ended = endingOperations.map((name) => `operation:${name}`).join(' or ');

/** How attempts ended on a device, beside those on the others: whether it is the device, or the work. */
export function OutcomesOf({ id }: { readonly id: string }) {
  const { data } = useQuery(outcomesQuery());
  if (!data) return undefined;
  const { own, others } = outcomesOn(id, data.list);
  const oldest = data.isMore ? data.list.at(-1) : undefined;
  return (
    <>
      <p>
        {own.all === 0 ? (
          m.devices.noOutcome
        ) : (
          <>
            <Link to="/events" search={{ q: `device:${id} (${ended}) at>now-24h` }}>
              {m.devices.outcome(own.failed, own.all)}
            </Link>
            , {m.devices.othersOutcome(others.failed, others.all)}
          </>
        )}
      </p>
      {oldest && <p className="soft">{m.devices.outcomesSince(data.list.length, exactly(oldest.on))}</p>}
    </>
  );
}
