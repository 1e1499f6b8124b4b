import type { Schemas } from '@millrace/api';
import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Button, Dialog, DialogTrigger, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { Command, Notice } from '../page/states.tsx';
import { Text } from '../page/text.tsx';
import { useTitle } from '../page/title.ts';
import { m } from './messages.ts';
import {
  automationsQuery,
  devicesQuery,
  poolsQuery,
  queuesQuery,
  tryQuery,
  type Automation,
} from './queries.ts';
import { suitedOf } from './rules.ts';
import css from './automations.module.css';

export { loadAutomations as load } from './queries.ts';

const create = `millrace automation create --json '{"name":"Post","queueId":1,"poolId":1,"botName":"post"}'`;

/** The automations: from which queue, by which bot, to which pool, and whether any device suits. */
export function Page() {
  const { data } = useSuspenseQuery(automationsQuery());
  useTitle(m.automations.title);
  return (
    <>
      <header className={css.head}>
        <h1>{m.automations.title}</h1>
        <span className="soft">{m.automations.total(data.page.total)}</span>
      </header>
      {data.list.length === 0 && (
        <Notice title={m.automations.empty}>
          <p>{m.automations.emptyText}</p>
          <Command>{create}</Command>
        </Notice>
      )}
      {data.list.length > 0 && (
        <>
          <Table automations={data.list} />
          <p>{m.automations.another}</p>
          <Command label={m.automations.another}>{create}</Command>
        </>
      )}
    </>
  );
}

function Table({ automations }: { readonly automations: readonly Automation[] }) {
  return (
    <div className={css.scroll}>
      <table className={`${css.table} stacked`}>
        <thead>
          <tr>
            <th>{m.automations.name}</th>
            <th>{m.automations.way}</th>
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

function Row({ automation }: { readonly automation: Automation }) {
  const { data: devices } = useSuspenseQuery(devicesQuery());
  const { name, status, statusReason, labels } = automation;
  const { inPool, suited } = suitedOf(automation, devices.list);
  return (
    <tr id={`automation-${String(automation.id)}`}>
      <th scope="row">
        <Text>{name}</Text>
        {labels.length > 0 && (
          <small>
            <Text>{labels.join(', ')}</Text>
          </small>
        )}
      </th>
      <td>
        <Way automation={automation} />
      </td>
      <td data-kind={suited === 0 ? 'bad' : undefined}>
        <Link to="/devices">{m.automations.suited(suited, inPool)}</Link>
      </td>
      <td data-kind={status === 'ACTIVE' ? 'good' : 'warn'}>
        {m.automations.states[status]}
        {statusReason && (
          <>
            : <Text>{statusReason}</Text>
          </>
        )}
      </td>
      <td>
        <Try automation={automation} />
      </td>
    </tr>
  );
}

/** Queue → bot → pool; by their ids where the names may not be seen. */
function Way({ automation: { queueId, poolId, botName } }: { readonly automation: Automation }) {
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
      <Link to="/pools">
        <Text>{pool?.name ?? m.automations.pool(String(poolId))}</Text>
      </Link>
    </>
  );
}

function Try({ automation }: { readonly automation: Automation }) {
  const { name } = automation;
  return (
    <DialogTrigger>
      <Button aria-label={m.automations.tryOne(name)}>{m.automations.tryOut}</Button>
      <ModalOverlay isDismissable className="overlay">
        <Modal className={`modal ${css.wide}`}>
          <Dialog className={css.dialog}>
            {({ close }) => (
              <>
                <Heading slot="title">{m.automations.tried(name)}</Heading>
                <Verdicts automation={automation} />
                <Button onPress={close}>{m.common.close}</Button>
              </>
            )}
          </Dialog>
        </Modal>
      </ModalOverlay>
    </DialogTrigger>
  );
}

function Verdicts({ automation }: { readonly automation: Automation }) {
  const { data, error } = useQuery(tryQuery(automation.id ?? 0));
  if (error) return <p role="alert">{error.message}</p>;
  if (!data) return undefined;
  return (
    <>
      <p className={css.why}>
        <Text>{data.sentence}</Text>
      </p>
      {data.devices.length > 0 && <Devices verdicts={data.devices} />}
    </>
  );
}

function Devices({ verdicts }: { readonly verdicts: readonly Schemas['DeviceVerdict'][] }) {
  return (
    <table className={`${css.table} stacked`}>
      <thead>
        <tr>
          <th>{m.automations.device}</th>
          <th>{m.automations.verdict}</th>
        </tr>
      </thead>
      <tbody>
        {verdicts.map(({ deviceId, deviceName, code, sentence }) => (
          <tr key={String(deviceId)}>
            <th scope="row">
              <Link to="/devices/$id" params={{ id: String(deviceId) }}>
                <Text>{deviceName}</Text>
              </Link>
            </th>
            <td data-kind={code === 'NEXT' || code === 'FREE' ? 'good' : undefined}>
              <Text>{sentence}</Text>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
