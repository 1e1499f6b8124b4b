import { ApiError } from '@millrace/api';
import type { ErrorComponentProps } from '@tanstack/react-router';
import { Link, useRouter } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Button } from 'react-aria-components';
import { m } from './messages.ts';
import css from './page.module.css';

interface NoticeProps {
  readonly title: string;
  readonly children?: ReactNode;
}

/** Stands in place of a page or a list, and says what to do next. */
export function Notice({ title, children }: NoticeProps) {
  return (
    <div className={css.notice}>
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** The page at an address that no page has. */
export function Lost() {
  return (
    <Notice title={m.page.lost}>
      <Link to="/">{m.page.toOverview}</Link>
    </Notice>
  );
}

/** A page that could not be shown: refused, missing, or broken. The frame around it stays. */
export function PageError({ error: thrown }: ErrorComponentProps) {
  const router = useRouter();
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const report = `${error.name}: ${error.message}\n${error.stack ?? ''}`;
  return (
    <Notice title={titleOf(error)}>
      <p>{error.message}</p>
      <p className={css.buttons}>
        <Button className="primary" onPress={() => void router.invalidate()}>
          {m.page.again}
        </Button>
        <Button onPress={() => void navigator.clipboard.writeText(report)}>{m.page.copyReport}</Button>
      </p>
    </Notice>
  );
}

function titleOf(error: unknown): string {
  if (!(error instanceof ApiError)) return m.page.broken;
  if (error.status === 404) return m.page.unseen;
  return error.status === 403 ? m.page.refused : m.page.broken;
}

interface CommandProps {
  /** The name of the command; with a name, keys can scroll it sideways. */
  readonly label?: string;
  readonly children: string;
}

/** A command to copy, as people type it. */
export function Command({ label, children }: CommandProps) {
  const region = label === undefined ? {} : { role: 'region', 'aria-label': label, tabIndex: 0 };
  return (
    <pre className={css.command} {...region}>
      <code>{children}</code>
    </pre>
  );
}

/** Stands in place of a page once loading takes longer than an instant. */
export function Skeleton() {
  return <div className={css.skeleton} aria-hidden="true" />;
}
