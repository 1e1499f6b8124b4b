import { useState } from 'react';
import { Button, Form, Input, Label, TextField } from 'react-aria-components';
import { NewPassword } from '../auth/new-password.tsx';
import type { Schemas } from '@millrace/api';
import { AsScript } from '../dialogs/as-script.tsx';
import { m as auth } from '../auth/messages.ts';
import { m } from './messages.ts';
import { changePassword, passwordRequest } from './queries.ts';
import css from './settings.module.css';

interface Props {
  readonly me: Schemas['SessionUser'];
}

/** Changes the user's own password; takes the current one. */
export function Password({ me }: Props) {
  const [said, setSaid] = useState('');
  const [round, setRound] = useState(0);
  if (!me.passwordSet)
    return (
      <p className={css.soft}>
        {me.provider === undefined ? m.settings.neverPassword : m.settings.noPassword(me.provider)}
      </p>
    );
  const onDone = () => {
    setSaid(m.settings.changed);
    setRound(round + 1);
  };
  return (
    <>
      <p className={css.soft}>{m.settings.passwordText}</p>
      <p role="status" className={css.said}>
        {said}
      </p>
      <PasswordForm key={round} username={me.username} onDone={onDone} />
      <AsScript requests={[passwordRequest()]} />
    </>
  );
}

interface FormProps {
  readonly username: string;
  readonly onDone: () => void;
}

function PasswordForm({ username, onDone }: FormProps) {
  const [present, setPresent] = useState('');
  const [chosen, setChosen] = useState<string>();
  const [problem, setProblem] = useState('');
  const change = async () => {
    if (chosen === undefined) return;
    setProblem('');
    await changePassword(present, chosen).then(onDone, (error: Error) => setProblem(error.message));
  };
  return (
    <Form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault();
        void change();
      }}
    >
      {/* Tells password managers whose password it is. */}
      <input type="text" hidden readOnly autoComplete="username" value={username} />
      <TextField type="password" value={present} onChange={setPresent} isRequired className={css.field}>
        <Label>{auth.auth.present}</Label>
        <Input autoComplete="current-password" />
      </TextField>
      <NewPassword username={username} present={present} onChange={setChosen} />
      <p role="alert" className="problem">
        {problem}
      </p>
      <div>
        <Button type="submit" className="primary" isDisabled={chosen === undefined || present === ''}>
          {m.settings.change}
        </Button>
      </div>
    </Form>
  );
}
