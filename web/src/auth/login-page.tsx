import { useQuery } from '@tanstack/react-query';
import { useRouter, useSearch } from '@tanstack/react-router';
import { useTitle } from '../page/title.ts';
import { LogInForm } from './log-in-form.tsx';
import { m } from './messages.ts';
import { SignOnButtons } from './sign-on.tsx';
import { readinessQuery } from './queries.ts';
import css from './auth.module.css';
import logo from '../../reference/logo.svg';

export function Page() {
  const { history } = useRouter();
  const { next = import.meta.env.BASE_URL, tenant } = useSearch({ from: '/login' });
  const { data } = useQuery(readinessQuery());
  useTitle(m.auth.logIn);
  return (
    <main className={css.page}>
      <div className={css.card}>
        <img src={logo} alt="" width="40" height="40" />
        <h1>{m.auth.title}</h1>
        <p className={css.server}>
          {location.host}
          {data && ` · ${m.auth.version(data.version)}`}
        </p>
        <LogInForm onDone={() => history.replace(next)} />
        <SignOnButtons tenant={tenant} next={next} />
      </div>
    </main>
  );
}
