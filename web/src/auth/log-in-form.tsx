import { ApiError } from '@millrace/api';
import { useState, type KeyboardEvent } from 'react';
import { Button, Form, Input, Label, TextField } from 'react-aria-components';
import { choosePassword, logIn } from '../connection/client.ts';
import css from './auth.module.css';
import { m } from './messages.ts';
import { NewPassword } from './new-password.tsx';

interface Props {
  /** The user to log in; undefined for any. */
  readonly username?: string;
  readonly onDone?: () => void;
}

/** Name and password; refusals appear in the server's words. */
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
      {/* Always there, so that nothing jumps when a problem appears. */}
      <p role="alert" className={css.problem}>
        {problem}
      </p>
      <Button type="submit" className="primary">
        {m.auth.logIn}
      </Button>
    </Form>
  );
}

/** A log-in begun with a temporary password. */
interface Temporary {
  readonly username: string;
  readonly password: string;
}

/** Replaces the temporary password by one that only its user knows; the log-in then goes on. */
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
