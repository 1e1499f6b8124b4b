import { toId, type Id } from '@millrace/api';
import { useSuspenseQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState, type ReactNode } from 'react';
import { Button, Form } from 'react-aria-components';
import { AsScript } from '../dialogs/as-script.tsx';
import { changesBetween } from '../dialogs/changes.ts';
import { Unsent } from '../dialogs/unsent.tsx';
import { PickRole, PickUser } from '../members/pick.tsx';
import { modelsQuery } from '../models/queries.ts';
import { useTitle } from '../page/title.ts';
import { MoreFields, NameFields } from './fields.tsx';
import { m } from './messages.ts';
import { ModelPart } from './model-part.tsx';
import { createAll, createAllRequests, type Made, type NewQueue, type Person, type Told } from './queries.ts';
import { draftOf, type ChosenModel, type Draft } from './rules.ts';
import css from './setup.module.css';

export { loadModels as load } from '../models/queries.ts';

/** A new queue on one page: name and order, model, people; everything else keeps the server's defaults. */
export function Page() {
  const { data: models } = useSuspenseQuery(modelsQuery());
  const [draft, setDraft] = useState(() => draftOf());
  const [model, setModel] = useState<ChosenModel>({ name: '', drafts: [] });
  const [people, setPeople] = useState<readonly Person[]>([]);
  const [made, setMade] = useState<Made>();
  useTitle(m.setup.newQueue);
  const change = (some: Partial<Draft>) => setDraft((now) => ({ ...now, ...some }));
  const picked = models.list.find(({ id }) => String(id) === model.id);
  const attributes = (picked?.attributes ?? model.drafts).map(({ name = '' }) => name).filter(Boolean);
  return (
    <NewQueueForm
      queue={{ draft, model, people, made }}
      onModel={setModel}
      onQueue={(id) => setMade({ id, people: [] })}
      onPerson={(one) => setMade((now) => now && { ...now, people: [...now.people, one] })}
    >
      <fieldset disabled={made !== undefined} className={css.all}>
        <h2>{m.setup.nameAndOrder}</h2>
        <NameFields draft={draft} attributes={attributes} onChange={change} />
        <h2>{m.setup.model}</h2>
        <ModelPart models={models.list} model={model} onChange={setModel} />
      </fieldset>
      <h2>{m.setup.who}</h2>
      <Who people={people} added={made?.people ?? []} onChange={setPeople} />
      <details className={css.more}>
        <summary>{m.setup.more}</summary>
        <fieldset disabled={made !== undefined} className={css.all}>
          <MoreFields draft={draft} attributes={attributes} onChange={change} />
        </fieldset>
      </details>
    </NewQueueForm>
  );
}

interface FormProps extends Pick<Told, 'onQueue' | 'onPerson'> {
  readonly queue: NewQueue;
  readonly onModel: (model: ChosenModel) => void;
  readonly children: ReactNode;
}

/** Makes the queue, and goes to its page. Another attempt goes on from what is made. */
function NewQueueForm({ queue, onModel, children, ...told }: FormProps) {
  const navigate = useNavigate();
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [madeModel, setMadeModel] = useState<string>();
  const { draft, model, made } = queue;
  const requests = createAllRequests(queue);
  const hasModel = model.id !== undefined || model.drafts.length > 0;
  const isReady = draft.name.trim() !== '' && hasModel;
  const create = async () => {
    if (isBusy) return;
    setBusy(true);
    setProblem('');
    try {
      const keepModel = (modelId: Id) => {
        setMadeModel(model.name.trim());
        onModel({ name: '', drafts: [], id: String(modelId) });
      };
      const id = await createAll(queue, { ...told, onModel: keepModel });
      await navigate({ to: '/queues/$id', params: { id: String(id) }, ignoreBlocker: true });
    } catch (error) {
      setProblem((error as Error).message);
      setBusy(false);
    }
  };
  return (
    <Form
      className={`page ${css.page}`}
      onSubmit={(event) => {
        event.preventDefault();
        void create();
      }}
    >
      <nav aria-label={m.common.breadcrumb}>
        <Link to="/queues">{m.setup.queues}</Link> /
      </nav>
      <Unsent isUnsent={isBegun(queue)} />
      <h1>{m.setup.newQueue}</h1>
      {children}
      <div role="status">{problem !== '' && <Done model={madeModel} queue={queue} />}</div>
      <p role="alert" className="problem">
        {problem}
      </p>
      <div className={css.actions}>
        <Button type="submit" className="primary" isDisabled={!isReady}>
          {made ? m.setup.goOn : m.setup.create}
        </Button>
        {!hasModel && <span className="soft">{m.setup.noModel}</span>}
      </div>
      {isReady && requests.length > 0 && <AsScript requests={requests} />}
    </Form>
  );
}

/** Whether anything was typed or chosen. */
function isBegun({ draft, model: { id, name, drafts }, people }: NewQueue): boolean {
  const isTyped = changesBetween({ ...draftOf() }, { ...draft }).length > 0;
  return isTyped || id !== undefined || name !== '' || drafts.length > 0 || people.length > 0;
}

interface DoneProps {
  /** The name of the model, where it was made with the queue. */
  readonly model: string | undefined;
  readonly queue: NewQueue;
}

/** The parts that an attempt has made before it failed. */
function Done({ model, queue: { draft, made } }: DoneProps) {
  return (
    <>
      {model !== undefined && <p>{m.setup.modelMade(model)}</p>}
      {made && (
        <p>
          {m.setup.queueMade(draft.name.trim())}{' '}
          <Link to="/queues/$id" params={{ id: String(made.id) }}>
            {m.setup.openQueue}
          </Link>
        </p>
      )}
    </>
  );
}

interface WhoProps {
  readonly people: readonly Person[];
  /** Those of them who belong to it already. */
  readonly added: readonly Person[];
  readonly onChange: (people: readonly Person[]) => void;
}

/** People, and the roles whose users work on the items. */
function Who({ people, added, onChange }: WhoProps) {
  const idsOf = (isRole: boolean) =>
    new Set(people.filter(({ role }) => (role === undefined) === isRole).map(({ id }) => String(id)));
  const add = (id: Id, name: string, role?: Person['role']) =>
    onChange([...people, { id: toId(String(id)), name, ...(role && { role }) }]);
  return (
    <>
      <p className="soft">{m.setup.owner}</p>
      <ul className={css.people}>
        {people.map((person) => (
          <li key={`${person.role} ${String(person.id)}`}>
            {person.name} {person.role}{' '}
            {added.includes(person) ? (
              <span className="soft">{m.setup.added}</span>
            ) : (
              <Button
                className="quiet"
                aria-label={m.setup.takeOff(person.name)}
                onPress={() => onChange(people.filter((one) => one !== person))}
              >
                ✕
              </Button>
            )}
          </li>
        ))}
      </ul>
      <PickUser without={idsOf(false)} onPick={add} />
      <PickRole without={idsOf(true)} onPick={(id, name) => add(id, name)} />
    </>
  );
}
