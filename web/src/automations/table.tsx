import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Text } from '../page/text.tsx';
import { crowdQuery } from '../people/queries.ts';
import { AutomationActions } from './actions.tsx';
import { m } from './messages.ts';
import { devicesQuery, poolsQuery, queuesQuery, useMay, type Automation } from './queries.ts';
import { suitedOf } from './rules.ts';
import css from './automations.module.css';

interface Props {
  readonly automation: Automation;
}

export function Table({ automations }: { readonly automations: readonly Automation[] }) {
  return (
    <div className="scroll">
      <table className={`${css.table} stacked`}>
        <thead>
          <tr>
            <th>{m.automations.name}</th>
            <th>{m.automations.way}</th>
            <th>{m.automations.runAs}</th>
            <th>{m.automations.devices}</th>
            <th>{m.automations.state}</th>
            <th>
              <span className="unseen">{m.automations.tryOut}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {automations.map((automation) => (
            <Row key={String(automation.id)} automation={automation} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ automation }: Props) {
  const { id, name, status, labels } = automation;
  return (
    <tr>
      <th scope="row">
        <Link to="/automations/$id" params={{ id: String(id) }}>
          <Text>{name}</Text>
        </Link>
        {labels.length > 0 && (
          <small>
            <Text>{labels.join(', ')}</Text>
          </small>
        )}
      </th>
      <td>
        <Way automation={automation} />
      </td>
      <td>
        <RunAs automation={automation} />
      </td>
      <Suited automation={automation} />
      <td data-kind={status === 'ACTIVE' ? 'good' : 'warn'}>
        <State automation={automation} />
      </td>
      <td>
        <AutomationActions automation={automation} />
      </td>
    </tr>
  );
}

/** Whether it sends items, and why not. */
export function State({ automation: { status, statusReason } }: Props) {
  return (
    <>
      {m.automations.states[status]}
      {statusReason && (
        <>
          : <Text>{statusReason}</Text>
        </>
      )}
    </>
  );
}

/** The number of suitable devices. A user who does not see the pool sees none of its devices, so a number would mislead. */
function Suited({ automation }: Props) {
  const { data: devices } = useSuspenseQuery(devicesQuery());
  const { data: pools } = useSuspenseQuery(poolsQuery());
  if (!pools.list.some(({ id }) => id === automation.poolId))
    return <td className="soft">{m.automations.unseenDevices}</td>;
  const { inPool, suited } = suitedOf(automation, devices.list);
  return (
    <td data-kind={suited === 0 ? 'bad' : undefined}>
      <Link to="/devices">{m.automations.suited(suited, inPool)}</Link>
    </td>
  );
}

/** Queue → bot → pool; by their ids where the names may not be seen. */
function Way({ automation: { queueId, poolId, botName } }: Props) {
  const { data: queues } = useSuspenseQuery(queuesQuery());
  const { data: pools } = useSuspenseQuery(poolsQuery());
  const queue = queues.list.find(({ id }) => id === queueId);
  const pool = pools.list.find(({ id }) => id === poolId);
  return (
    <>
      {queue ? (
        <Link to="/queues/$id" params={{ id: String(queueId) }}>
          <Text>{queue.name ?? ''}</Text>
        </Link>
      ) : (
        m.automations.queue(String(queueId))
      )}
      {' → '}
      <Text>{botName ?? ''}</Text>
      {' → '}
      <Link to="/pools" hash={`pool-${String(poolId)}`}>
        <Text>{pool?.name ?? m.automations.pool(String(poolId))}</Text>
      </Link>
    </>
  );
}

/** The users as whom its bot works; by their ids where users may not be seen. */
export function RunAs({ automation: { runAsUserIds } }: Props) {
  const { data } = useQuery({ ...crowdQuery(), enabled: useMay('viewUsers') });
  if (runAsUserIds.length === 0) return <span className="soft">{m.automations.nobody}</span>;
  const nameOf = (id: string) => data?.list.find((one) => String(one.id) === id)?.username;
  const names = runAsUserIds.map((id) => nameOf(String(id)) ?? m.automations.user(String(id)));
  return <Text>{names.join(', ')}</Text>;
}
