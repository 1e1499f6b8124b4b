import { toId, type Schemas } from '@millrace/api';
import { Link } from '@tanstack/react-router';
import { Sentence } from '../page/sentence.tsx';
import { Text } from '../page/text.tsx';
import { Time } from '../page/time.tsx';
import { m } from './messages.ts';
import { DeviceLink } from './device-link.tsx';
import { ResumeHere } from './pause.tsx';
import css from './queues.module.css';
import { linksIn, remedyFor, type Reason } from './reason-rules.ts';

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

interface RemediesProps {
  /** The queue that the reasons are about, where all are about one. */
  readonly queueId?: string | undefined;
  readonly reasons: readonly Reason[];
}

/** The remedy of the first reason, whose sentence stands above; and the other reasons, each with its own. */
export function Remedies({ queueId, reasons: [first, ...others] }: RemediesProps) {
  return (
    <>
      {first && <Remedy queueId={queueId} reason={first} isOfOne />}
      {others.length > 0 && (
        <ul className={css.reasons}>
          {others.map((reason) => (
            <li key={reason.sentence}>
              <Sentence>{reason.sentence}</Sentence> <Remedy queueId={queueId} reason={reason} isOfOne />
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

interface RemedyProps {
  readonly queueId?: string | undefined;
  readonly reason: Reason;
  /** Whether it keeps one item or device: others like it are no remedy. */
  readonly isOfOne?: boolean;
}

/** The way to act on a reason: a button where it can be done at once, or a link to where it can. */
export function Remedy({ queueId, reason, isOfOne = false }: RemedyProps) {
  const remedy = remedyFor(reason, queueId);
  if (!remedy || (isOfOne && remedy.is === 'items')) return undefined;
  if (remedy.is === 'resume') return <ResumeHere queueId={remedy.queueId} />;
  const label = m.queues.remedies[remedy.is];
  if (remedy.is === 'items')
    return (
      <Link to="/queues/$id" params={{ id: remedy.queueId }} search={{ q: remedy.q }} className={css.remedy}>
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
  const links = linksIn(name, value);
  if (/devices?ids?$/i.test(name)) return links.map(({ id }) => <DeviceLink key={id} id={toId(id)} />);
  if (links.length === 0) return typeof value === 'string' && <Time on={value} />;
  const called = facts[name.replace('Id', 'Name')];
  return links.map(({ path, id }) => (
    <Link key={id} to={path as '/'}>
      <Text>{typeof called === 'string' ? called : id}</Text>
    </Link>
  ));
}
