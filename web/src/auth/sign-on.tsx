import { ApiError } from '@millrace/api';
import { useQuery } from '@tanstack/react-query';
import { Link, useLoaderData, useRouter, type ErrorComponentProps } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { Button } from 'react-aria-components';
import { beginSignOn } from '../connection/client.ts';
import { m } from './messages.ts';
import { methodsQuery } from './queries.ts';
import css from './auth.module.css';

interface Props {
  readonly tenant?: string | undefined;
  /** The only provider to offer; all when left out. */
  readonly only?: string;
  /** The page to go on to. */
  readonly next: string;
}

/** A button for each provider by which people sign on. */
export function SignOnButtons({ tenant, only, next }: Props) {
  const { data } = useQuery(methodsQuery(tenant));
  const [problem, setProblem] = useState('');
  const offered = data?.list.filter(({ provider }) => provider && (only ?? provider) === provider) ?? [];
  if (offered.length === 0) return undefined;
  return (
    <div className={css.form}>
      {offered.map(({ provider = '', title }) => (
        <Button
          key={provider}
          onPress={() => void beginSignOn(provider, next).catch((error) => setProblem(wordsOf(error)))}
        >
          {m.auth.signOn(title ?? provider)}
        </Button>
      ))}
      <p role="alert" className={css.problem}>
        {problem}
      </p>
    </div>
  );
}

/** Goes on to the page that was asked for, when the sign-on is finished. */
export function SignedOn() {
  const { history } = useRouter();
  const next = useLoaderData({ from: '/sign-on' });
  useEffect(() => history.replace(next), [history, next]);
  return undefined;
}

export function NotSignedOn({ error }: ErrorComponentProps) {
  return (
    <main className={css.page}>
      <div className={css.card}>
        <h1>{m.auth.notSignedOn}</h1>
        <p role="alert">{wordsOf(error)}</p>
        <Link to="/login">{m.auth.toLogIn}</Link>
      </div>
    </main>
  );
}

function wordsOf(error: unknown): string {
  return error instanceof ApiError ? error.message : m.auth.away;
}
