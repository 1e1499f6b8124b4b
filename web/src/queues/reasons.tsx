import type { Schemas } from '@millrace/api';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Sentence } from '../page/sentence.tsx';
import { Text } from '../page/text.tsx';
import { Time } from '../page/time.tsx';
import { m } from './messages.ts';
import { devicesQuery } from './queries.ts';
import css from './queues.module.css';
import { linksIn, remedyFor } from './reason-rules.ts';

interface Props {
  readonly queueId: string;
  readonly reasons: readonly Schemas['Reason'][];
}

/** The reasons for something, the most decisive first, with facts and remedies. */
export function Reasons({ queueId, reasons }: Props) {
  return (
    <ol className={css.reasons}>
      {reasons.map((reason, index) => (
        <li key={index}>
          <p>
            <Sentence>{reason.sentence}</Sentence>
          </p>
          <Remedy queueId={queueId} reason={reason} />
          <Facts facts={reason.facts ?? {}} />
        </li>
      ))}
    </ol>
  );
}

interface RemedyProps {
  readonly queueId: string;
  readonly reason: Schemas['Reason'];
}

/** A link to the place where somebody can act on a reason. */
export function Remedy({ queueId, reason }: RemedyProps) {
  const remedy = remedyFor(reason);
  if (!remedy) return undefined;
  const label = m.queues.remedies[remedy.is];
  if (remedy.is === 'items')
    return (
      <Link to="/queues/$id" params={{ id: queueId }} search={{ q: remedy.q }} className={css.remedy}>
        {label}
      </Link>
    );
  return (
    <Link to={remedy.path as '/'} className={css.remedy}>
      {label}
    </Link>
  );
}

type AllFacts = Readonly<Record<string, unknown>>;
const toldFacts = Object.entries(m.queues.reasonFacts);

/** Facts with links, and times as people say them; the sentence has the rest. */
function Facts({ facts }: { readonly facts: AllFacts }) {
  const told = toldFacts.filter(([name]) => facts[name] !== undefined && facts[name] !== null);
  if (told.length === 0) return undefined;
  return (
    <dl className={css.reasonFacts}>
      {told.map(([name, label]) => (
        <div key={name}>
          <dt>{label}</dt>
          <dd>
            <Value name={name} facts={facts} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Value({ name, facts }: { readonly name: string; readonly facts: AllFacts }) {
  const value = facts[name];
  if (/devices?ids?$/i.test(name)) return <Devices name={name} value={value} />;
  const links = linksIn(name, value);
  if (links.length === 0) return typeof value === 'string' && <Time on={value} />;
  const called = facts[name.replace('Id', 'Name')];
  return links.map(({ path, id }) => (
    <Link key={id} to={path as '/'}>
      <Text>{typeof called === 'string' ? called : id}</Text>
    </Link>
  ));
}

/** Devices by name, where the user may see them. */
function Devices({ name, value }: { readonly name: string; readonly value: unknown }) {
  const { data } = useQuery(devicesQuery());
  return linksIn(name, value).map(({ path, id }) => (
    <Link key={id} to={path as '/'}>
      <Text>{nameOf(data?.list.find((one) => String(one.id) === id)) ?? id}</Text>
    </Link>
  ));
}

function nameOf(device: Schemas['Device'] | undefined): string | undefined {
  return device && (device.nickname === '' ? device.hostName : device.nickname);
}
