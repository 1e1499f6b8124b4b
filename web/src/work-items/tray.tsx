import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { X } from 'lucide-react';
import { Button } from 'react-aria-components';
import { useStore } from '../store/store.ts';
import { batchQuery } from './bulk-queries.ts';
import { forgetRun, runs, type Run } from './bulk-runs.ts';
import { m } from './messages.ts';
import { Refusals } from './refusals.tsx';
import css from './tray.module.css';

/** The actions on many items, running or ended, which stay on every page until somebody puts them away. */
export function Tray() {
  return (
    <section className={css.tray} aria-label={m.bulk.tray}>
      {useStore(runs).map((run) => (
        <RunCard key={run.key} run={run} />
      ))}
    </section>
  );
}

function RunCard({ run }: { readonly run: Run }) {
  const { action, queueName, outcome, state, problem } = run;
  return (
    <article className={css.run}>
      <header>
        <h2>{m.bulk.inQueue(m.bulk[action], queueName)}</h2>
        {state === 'running' && (
          <Button className="quiet" onPress={run.stop}>
            {m.bulk.stop}
          </Button>
        )}
        {run.goOn && (
          <Button className="primary" onPress={run.goOn}>
            {m.bulk.goOn}
          </Button>
        )}
        {state !== 'running' && state !== 'unsure' && (
          <Button className="icon" aria-label={m.bulk.putAway} onPress={() => forgetRun(run.key)}>
            <X size={15} aria-hidden="true" />
          </Button>
        )}
      </header>
      <p role="status">
        {state in m.bulk.states && `${m.bulk.states[state as keyof typeof m.bulk.states]} `}
        {m.bulk.did(outcome.changed, outcome.refused)}
      </p>
      {problem && (
        <p role="alert" className="problem">
          {problem}
        </p>
      )}
      <Changed run={run} />
      {state !== 'running' && <Refusals queueId={run.queueId} refusals={outcome.refusals} />}
    </article>
  );
}

/** A link to the changed items, and what has become of them since: a change is no success yet. */
function Changed({ run: { action, queueId, outcome } }: { readonly run: Run }) {
  const { batchId = 0 } = outcome;
  const isFollowed = action === 'RESTART' || action === 'RELEASE';
  const { data } = useQuery({ ...batchQuery(queueId, batchId), enabled: isFollowed && batchId !== 0 });
  if (batchId === 0) return undefined;
  return (
    <p>
      {data && `${m.bulk.since(Number(data.done), Number(data.waiting), Number(data.failed))} `}
      <Link to="/queues/$id" params={{ id: String(queueId) }} search={{ q: `batch:${batchId}` }}>
        {m.bulk.thoseChanged}
      </Link>
    </p>
  );
}
