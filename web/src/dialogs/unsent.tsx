import { useBlocker } from '@tanstack/react-router';
import { Button, Heading } from 'react-aria-components';
import { Over } from './ask.tsx';
import css from './dialogs.module.css';
import { m } from './messages.ts';
import { isLoggedIn } from './queries.ts';

interface Props {
  /** Whether something was typed that leaving the page would lose. */
  readonly isUnsent: boolean;
}

/** Asks before the page is left with unsent changes, be it by a link, a key, Back, or the browser. */
export function Unsent({ isUnsent }: Props) {
  // A log-out is never kept up: whoever has gone wants the page to be gone as well.
  const isKept = () => isUnsent && isLoggedIn();
  const leaving = useBlocker({
    shouldBlockFn: ({ current, next }) => isKept() && hrefOf(current) !== hrefOf(next),
    enableBeforeUnload: isKept,
    withResolver: true,
  });
  const stay = () => leaving.reset?.();
  return (
    <Over isOpen={leaving.status === 'blocked'} onClose={stay}>
      <Heading slot="title">{m.dialogs.unsentTitle}</Heading>
      <p>{m.dialogs.unsent}</p>
      <div className={css.actions}>
        <Button className="primary" onPress={stay} autoFocus>
          {m.dialogs.stay}
        </Button>
        <Button className="danger" onPress={() => leaving.proceed?.()}>
          {m.dialogs.discard}
        </Button>
      </div>
    </Over>
  );
}

function hrefOf({ pathname, search }: { readonly pathname: string; readonly search: unknown }): string {
  return pathname + JSON.stringify(search);
}
