import type { Schemas } from '@millrace/api';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { Button } from 'react-aria-components';
import { AsScript } from '../dialogs/as-script.tsx';
import { AskButton } from '../dialogs/ask.tsx';
import { remove } from '../dialogs/queries.ts';
import { Field } from '../page/fields.tsx';
import { Archive } from '../queues/archive.tsx';
import { m } from './messages.ts';
import { deleteRequest } from './queries.ts';
import css from './setup.module.css';

interface Props {
  readonly queue: Schemas['Queue'];
}

/** Archiving, restoring, deleting. The server says what prevents it. */
export function Danger({ queue }: Props) {
  return (
    <section className={css.danger}>
      <h3>{m.setup.danger}</h3>
      <AskButton className="danger" label={queue.archived ? m.queues.restore : m.queues.archive}>
        {(close) => <Archive queue={queue} onDone={close} />}
      </AskButton>
      <Delete queue={queue} />
    </section>
  );
}

function Delete({ queue }: Props) {
  const navigate = useNavigate();
  const [typed, setTyped] = useState('');
  const [problem, setProblem] = useState('');
  const request = deleteRequest(queue);
  const begin = async () => {
    setProblem('');
    const leave = () => navigate({ to: '/queues', ignoreBlocker: true });
    await remove(request, leave).catch((error: Error) => setProblem(error.message));
  };
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
      <p role="alert" className="problem">
        {problem}
      </p>
      <AsScript requests={[request]} />
    </>
  );
}
