import type { Schemas } from '@millrace/api';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Button, Heading } from 'react-aria-components';
import { AskButton } from '../dialogs/ask.tsx';
import { Sentence } from '../page/sentence.tsx';
import { Text } from '../page/text.tsx';
import { m } from './messages.ts';
import { tryQuery, type Automation } from './queries.ts';
import css from './automations.module.css';

/** Shows which device would take the next item, and why the others would not. */
export function Try({ automation }: { readonly automation: Automation }) {
  const { name } = automation;
  return (
    <AskButton label={m.automations.tryOut} name={m.automations.tryOne(name)} isWide>
      {(close) => (
        <>
          <Heading slot="title">
            <Text>{m.automations.tried(name)}</Text>
          </Heading>
          <Verdicts automation={automation} />
          <Button onPress={close}>{m.common.close}</Button>
        </>
      )}
    </AskButton>
  );
}

function Verdicts({ automation }: { readonly automation: Automation }) {
  const { data, error } = useQuery(tryQuery(automation.id ?? 0));
  if (error) return <p role="alert">{error.message}</p>;
  if (!data) return undefined;
  return (
    <>
      <p className="why">
        <Sentence>{data.sentence}</Sentence>
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
              <Sentence>{sentence}</Sentence>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
