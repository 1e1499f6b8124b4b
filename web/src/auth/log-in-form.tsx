import { ApiError } from '@millrace/api';
import { useState, type KeyboardEvent } from 'react';
import { Button, Form, Input, Label, TextField } from 'react-aria-components';
import { choosePassword, logIn } from '../connection/client.ts';
import css from './auth.module.css';
import { m } from './messages.ts';
import { NewPassword } from './new-password.tsx';

interface Props {
  /** The user who is to log in; undefined for anybody. */
  readonly username?: string;
  readonly onDone?: () => void;
}

/** Name and password. What the server refuses it says in the server's words. */
export function LogInForm({ username, onDone }: Props) {
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [temporary, setTemporary] = useState<Temporary>();
  async function submit(data: FormData): Promise<void> {
    if (isBusy) return;
    setBusy(true);
    const given = { username: username ?? textOf(data, 'username'), password: textOf(data, 'password') };
    try {
      if (await logIn(given.username, given.password)) setTemporary(given);
      else onDone?.();
    } catch (error) {
      setProblem(error instanceof ApiError ? error.message : m.auth.away);
    } finally {
      setBusy(false);
    }
  }
  if (temporary) return <ChoosePassword temporary={temporary} onDone={onDone} />;
  return (
    <Form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault();
        void submit(new FormData(event.currentTarget));
      }}
    >
      {username === undefined && (
        <TextField name="username" isRequired autoFocus className={css.field}>
          <Label>{m.auth.username}</Label>
          <Input autoComplete="username" autoCapitalize="none" />
        </TextField>
      )}
      <Password isFirst={username !== undefined} />
      {/* Its place is kept, so that nothing jumps when it is filled. */}
      <p role="alert" className={css.problem}>
        {problem}
      </p>
      <Button type="submit" className="primary">
        {m.auth.logIn}
      </Button>
    </Form>
  );
}

/** With what somebody has begun to log in. */
interface Temporary {
  readonly username: string;
  readonly password: string;
}

/** The log-in goes on with a password that only its user knows. */
function ChoosePassword({ temporary, onDone }: { temporary: Temporary; onDone: Props['onDone'] }) {
  const [chosen, setChosen] = useState<string>();
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const choose = async () => {
    if (isBusy || chosen === undefined) return;
    setBusy(true);
    try {
      await choosePassword(temporary.password, chosen);
      onDone?.();
    } catch (error) {
      setProblem(error instanceof ApiError ? error.message : m.auth.away);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault();
        void choose();
      }}
    >
      <p role="status">{m.auth.temporary}</p>
      <NewPassword username={temporary.username} present={temporary.password} onChange={setChosen} />
      <p role="alert" className={css.problem}>
        {problem}
      </p>
      <Button type="submit" className="primary" isDisabled={chosen === undefined}>
        {m.auth.choose}
      </Button>
    </Form>
  );
}

function Password({ isFirst }: { readonly isFirst: boolean }) {
  const [hasCapsLock, setCapsLock] = useState(false);
  const look = (event: KeyboardEvent) => setCapsLock(event.getModifierState('CapsLock'));
  return (
    <TextField name="password" type="password" isRequired autoFocus={isFirst} className={css.field}>
      <Label>{m.auth.password}</Label>
      <Input autoComplete="current-password" onKeyDown={look} onKeyUp={look} />
      {hasCapsLock && <span className={css.hint}>{m.auth.capsLock}</span>}
    </TextField>
  );
}

function textOf(data: FormData, name: string): string {
  const value = data.get(name);
  return typeof value === 'string' ? value : '';
}
