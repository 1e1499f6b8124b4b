import type { Schemas } from '@millrace/api';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { deviceName } from '../page/device-name.ts';
import { Sentence } from '../page/sentence.tsx';
import { Time } from '../page/time.tsx';
import { ResumeHere } from '../queues/pause.tsx';
import { remedyFor } from '../queues/reason-rules.ts';
import { Remedy } from '../queues/reasons.tsx';
import { shapeOf } from '../repair/rules.ts';
import { WhyLink } from '../queues/why-link.tsx';
import { m } from './messages.ts';
import type { Need } from './rules.ts';
import css from './overview.module.css';

// The most needs in the list: nobody reads on before these are settled.
const shown = 50;

interface Props {
  readonly needs: readonly Need[];
  /** Whether everything was looked at, so that an empty list means that nothing needs a person. */
  readonly isKnown: boolean;
  /** The number of queues that stand still with a known reason, and of all that stand still. */
  readonly known: number;
  readonly all: number;
}

/** Everything that needs a person: a sentence each, its age, and the way to the remedy. */
export function Needs({ needs, isKnown, known, all }: Props) {
  return (
    <section aria-label={m.overview.needs} className={css.needs} data-none={needs.length === 0}>
      <h2>{m.overview.needs}</h2>
      {needs.length === 0 && isKnown && <p>{m.overview.nothing}</p>}
      <ul>
        {needs.slice(0, shown).map((need) => (
          <li key={keyOf(need)} data-kind={need.kind} data-row>
            <span>
              <Sentence>{sentenceOf(need)}</Sentence>{' '}
              {need.kind === 'queue' && <WhyLink id={need.stats.queueId} />}
            </span>
            <Time on={need.since} />
            <Way need={need} />
          </li>
        ))}
      </ul>
      {known < all && <p>{m.overview.lookedAt(known, all)}</p>}
      {needs.length > shown && <p>{m.overview.moreNeeds(needs.length - shown)}</p>}
    </section>
  );
}

function keyOf(need: Need): string {
  if (need.kind === 'doubts') return `doubts ${need.queueId}`;
  if (need.kind === 'failures') return `failures ${need.cluster.failureKind} ${need.cluster.signature}`;
  if (need.kind === 'runAs') return `automation ${need.automation.id}`;
  if (need.kind === 'level') return `level ${need.level.queueId}`;
  return need.kind === 'queue' ? `queue ${need.stats.queueId}` : `device ${need.device.id}`;
}

function sentenceOf(need: Need): string {
  if (need.kind === 'doubts') return m.overview.doubts(need.amount, need.queueName);
  if (need.kind === 'queue') return m.overview.queue(need.stats.queueName, need.why.sentence);
  if (need.kind === 'failures') {
    const { count, isMore, queues, signature } = need.cluster;
    return m.overview.failures(count, isMore, namesOf(queues), shapeOf(signature));
  }
  if (need.kind === 'runAs') return m.overview.runAs(need.automation.name);
  if (need.kind === 'level') return levelSentence(need.level);
  const name = deviceName(need.device);
  if (need.kind === 'quarantined') return m.overview.quarantined(name, need.device.stateReason ?? '');
  return need.kind === 'lost' ? m.overview.lost(name) : m.overview.lostWithItems(name, need.device.busySlots);
}

function levelSentence({ state, queueName, forecast }: Schemas['QueueLevelState']): string {
  return state === 'KEPT' ? '' : m.overview[state](queueName, forecast?.sentence ?? '');
}

function namesOf(queues: readonly { readonly queueName: string }[]): string {
  return queues.map(({ queueName }) => queueName).join(', ');
}

function Way({ need }: { readonly need: Need }): ReactNode {
  if (need.kind === 'doubts')
    return (
      <Link to="/repair/doubts" search={{ queue: String(need.queueId) }} className={css.remedy}>
        {m.overview.settle}
      </Link>
    );
  if (need.kind === 'failures') {
    const { failureKind: kind, signature } = need.cluster;
    return (
      <Link to="/repair" search={{ kind, signature }} className={css.remedy}>
        {m.overview.openFailures}
      </Link>
    );
  }
  if (need.kind === 'level')
    return (
      <Link to="/queues/$id/level" params={{ id: String(need.level.queueId) }} className={css.remedy}>
        {m.overview.openLevel}
      </Link>
    );
  if (need.kind === 'runAs')
    return (
      <Link to="/automations/$id" params={{ id: String(need.automation.id) }} className={css.remedy}>
        {m.overview.openAutomation}
      </Link>
    );
  if (need.kind === 'queue') return <WayOfQueue need={need} />;
  return (
    <Link to="/devices/$id" params={{ id: String(need.device.id) }} className={css.remedy}>
      {m.overview.openDevice}
    </Link>
  );
}

/** The way to the remedy of the decisive reason, or else to the queue itself. */
function WayOfQueue({ need: { stats, why } }: { readonly need: Extract<Need, { kind: 'queue' }> }) {
  const id = String(stats.queueId);
  const reason = why.reasons.find(({ code }) => code === why.code);
  const remedy = reason && remedyFor(reason, id);
  if (remedy && remedy.is !== 'resume') return <Remedy queueId={id} reason={reason} />;
  return (
    <span className={css.remedy}>
      {remedy && <ResumeHere queueId={id} />}{' '}
      <Link to="/queues/$id" params={{ id }}>
        {m.overview.openQueue}
      </Link>
    </span>
  );
}
