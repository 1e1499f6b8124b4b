import { Check, Circle } from 'lucide-react';
import { useState } from 'react';
import { Input, Label, TextField } from 'react-aria-components';
import css from './auth.module.css';
import { m } from './messages.ts';
import { brokenBy, passwordRules } from './rules.ts';

interface Props {
  readonly username: string;
  readonly present: string;
  /** @param password the new one; undefined while it breaks a rule */
  readonly onChange: (password: string | undefined) => void;
}

/** A new password, typed twice; its rules stand below, each marked once it is met. */
export function NewPassword({ username, present, onChange }: Props) {
  const [password, setPassword] = useState('');
  const [again, setAgain] = useState('');
  const broken = brokenBy({ password, again, username, present });
  const type = (one: string, other: string) => {
    setPassword(one);
    setAgain(other);
    const isSound = brokenBy({ password: one, again: other, username, present }).length === 0;
    onChange(isSound ? one : undefined);
  };
  return (
    <>
      <TextField type="password" value={password} onChange={(one) => type(one, again)} className={css.field}>
        <Label>{m.auth.newPassword}</Label>
        <Input autoComplete="new-password" />
      </TextField>
      <TextField type="password" value={again} onChange={(one) => type(password, one)} className={css.field}>
        <Label>{m.auth.again}</Label>
        <Input autoComplete="new-password" />
      </TextField>
      <ul className={css.rules} aria-label={m.auth.rulesTitle}>
        {passwordRules.map((rule) => {
          const isMet = !broken.includes(rule);
          const Icon = isMet ? Check : Circle;
          return (
            <li key={rule} data-met={isMet}>
              <Icon size={14} role="img" aria-label={isMet ? m.auth.met : m.auth.notMet} />
              {m.auth.rules[rule]}
            </li>
          );
        })}
        <li>
          <Circle size={14} aria-hidden="true" />
          {m.auth.notCommon}
        </li>
      </ul>
    </>
  );
}
