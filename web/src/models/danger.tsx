import type { Output, Schemas } from '@millrace/api';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { Ask, AskButton } from '../dialogs/ask.tsx';
import { remove } from '../dialogs/queries.ts';
import { TextLine } from '../page/fields.tsx';
import { Text } from '../page/text.tsx';
import { m } from './messages.ts';
import { archiveRequest, deleteRequest, usingQuery } from './queries.ts';
import css from './models.module.css';

interface Props {
  readonly model: Schemas['WorkItemModel'];
  readonly mayChange: boolean;
}

/** Archiving, restoring and deleting a model: each says first whose queues use it. */
export function Danger({ model, mayChange }: Props) {
  return (
    <section className={css.danger}>
      <h2>{m.models.danger}</h2>
      <div className="buttons">
        <AskButton label={m.models[changeOf(model)]} isDisabled={!mayChange}>
          {(close) => <Archive model={model} onDone={close} />}
        </AskButton>
        <AskButton label={m.models.delete} className="danger" isDisabled={!mayChange}>
          {(close) => <Delete model={model} onDone={close} />}
        </AskButton>
      </div>
      {!mayChange && <small className="soft">{m.models.mayNot}</small>}
    </section>
  );
}

const changeOf = ({ archived }: Props['model']) => (archived ? 'restore' : 'archive');

interface AskProps extends Pick<Props, 'model'> {
  readonly onDone: () => void;
}

/** Archives or restores: as it was asked for, also when somebody else is faster. */
function Archive({ model: first, onDone }: AskProps) {
  const [model] = useState(first);
  const { data: using } = useQuery(usingQuery(model.id ?? 0));
  const change = changeOf(model);
  return (
    <Ask
      title={m.models.heading(change, model.name ?? '')}
      confirm={m.models[change]}
      requests={[archiveRequest(model)]}
      onDone={onDone}
    >
      <p>{m.models[`${change}Effect`]}</p>
      <Using using={using} told={m.models.goesOn} />
    </Ask>
  );
}

function Delete({ model, onDone }: AskProps) {
  const navigate = useNavigate();
  const { name = '' } = model;
  const { data: using } = useQuery(usingQuery(model.id ?? 0));
  const [typed, setTyped] = useState('');
  const isUnused = using?.page.totalFilter === 0;
  const request = deleteRequest(model);
  return (
    <Ask
      title={m.models.heading('delete', name)}
      confirm={m.models.delete}
      isDanger
      isReady={isUnused && typed === name}
      requests={[request]}
      act={() => remove(request, () => navigate({ to: '/workitemmodels' }))}
      onDone={onDone}
    >
      <p>{m.models.deleteEffect}</p>
      <Using using={using} told={m.models.holdsIt} />
      {isUnused && <TextLine label={m.models.typeName(name)} value={typed} isFirst onChange={setTyped} />}
    </Ask>
  );
}

interface UsingProps {
  readonly using: Output<'listQueues'> | undefined;
  /** The sentence on that danger to a number of queues. */
  readonly told: (queues: number) => string;
}

/** The queues that use the model. A user who may change it may see all of them. */
function Using({ using, told }: UsingProps) {
  const { list = [], page } = using ?? {};
  const total = page?.totalFilter ?? 0;
  return (
    <div role="status">
      {using ? <p>{total === 0 ? m.models.unused : told(total)}</p> : m.models.asking}
      {total > 0 && (
        <ul>
          {list.map(({ id, name = '', archived }) => (
            <li key={String(id)}>
              <Link to="/queues/$id" params={{ id: String(id) }}>
                <Text>{name}</Text>
              </Link>{' '}
              {archived && m.models.archivedQueue}
            </li>
          ))}
          {total > list.length && <li>{m.models.moreQueues(total - list.length)}</li>}
        </ul>
      )}
    </div>
  );
}
