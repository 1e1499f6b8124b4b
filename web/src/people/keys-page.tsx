import { useSuspenseQuery } from '@tanstack/react-query';
import { Command, Notice } from '../page/states.tsx';
import { useTitle } from '../page/title.ts';
import { KeyTable } from './keys.tsx';
import { MakeKey } from './make-key.tsx';
import { m } from './messages.ts';
import { keysQuery, whoAmI } from './queries.ts';
import css from './people.module.css';

export { loadKeys as load } from './queries.ts';

/** The keys that the user may see: their own, or all. */
export function Page() {
  const { data } = useSuspenseQuery(keysQuery());
  useTitle(m.keys.title);
  return (
    <>
      <header className={css.head}>
        <h1>{m.keys.title}</h1>
        <span className={css.soft}>{m.keys.total(data.page.total)}</span>
        <MakeKey userId={whoAmI().id} />
      </header>
      {data.list.length === 0 ? (
        <Notice title={m.keys.empty}>
          <p>{m.keys.emptyText}</p>
          <Command>{`millrace api-key create --name 'night run'`}</Command>
        </Notice>
      ) : (
        <div className={css.page}>
          <KeyTable keys={data.list} hasUsers />
        </div>
      )}
    </>
  );
}
