import type { Schemas } from '@millrace/api';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { Button } from 'react-aria-components';
import { AsScript } from '../dialogs/as-script.tsx';
import { carryOut, remove } from '../dialogs/queries.ts';
import { Field } from '../page/fields.tsx';
import { m } from './messages.ts';
import { archiveRequest, deleteRequest } from './queries.ts';
import css from './setup.module.css';

interface Props {
  readonly queue: Schemas['Queue'];
}

/** Archiving, restoring, deleting. The server says what prevents it. */
export function Danger({ queue }: Props) {
  const [problem, setProblem] = useState('');
  const act = async (work: Promise<unknown>) => {
    setProblem('');
    await work.catch((error: Error) => setProblem(error.message));
  };
  return (
    <section className={css.danger}>
      <h3>{m.setup.danger}</h3>
      <p role="alert" className="problem">
        {problem}
      </p>
      <Archive queue={queue} act={act} />
      <Delete queue={queue} act={act} />
    </section>
  );
}

interface PartProps extends Props {
  /** Makes a call, and shows what was in the way. */
  readonly act: (work: Promise<unknown>) => Promise<void>;
}

function Archive({ queue, act }: PartProps) {
  const [reason, setReason] = useState('');
  const request = archiveRequest(queue, reason.trim());
  return (
    <>
      <p>{queue.archived ? m.setup.restoreText : m.setup.archiveText}</p>
      <div className={css.actions}>
        <Field label={m.setup.reason}>
          {(id) => (
            <input
              id={id}
              value={reason}
              maxLength={1000}
              onChange={({ target }) => setReason(target.value)}
            />
          )}
        </Field>
        <Button className="danger" onPress={() => void act(carryOut([request]))}>
          {queue.archived ? m.setup.restore : m.setup.archive}
        </Button>
      </div>
      <AsScript requests={[request]} />
    </>
  );
}

function Delete({ queue, act }: PartProps) {
  const navigate = useNavigate();
  const [typed, setTyped] = useState('');
  const request = deleteRequest(queue);
  const begin = () => act(remove(request, () => navigate({ to: '/queues' })));
  return (
    <>
      <p>{m.setup.deleteText}</p>
      <div className={css.actions}>
        <Field label={m.setup.typeName(queue.name ?? '')}>
          {(id) => <input id={id} value={typed} onChange={({ target }) => setTyped(target.value)} />}
        </Field>
        <Button className="danger" isDisabled={typed !== queue.name} onPress={() => void begin()}>
          {m.setup.delete}
        </Button>
      </div>
      <AsScript requests={[request]} />
    </>
  );
}
