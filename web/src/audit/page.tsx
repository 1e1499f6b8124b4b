import type { Schemas } from '@millrace/api';
import { useSuspenseQuery } from '@tanstack/react-query';
import { Ask, AskButton } from '../dialogs/ask.tsx';
import { Copied } from '../dialogs/as-script.tsx';
import { Time } from '../page/time.tsx';
import { useTitle } from '../page/title.ts';
import { may } from '../people/queries.ts';
import { m } from './messages.ts';
import { headQuery, retireRequest } from './queries.ts';
import { Verify } from './verify.tsx';
import css from './audit.module.css';

export { loadAudit as load } from './queries.ts';

const commands = 'millrace audit export --output audit.ndjson\nnode verify.mjs audit.ndjson';

/** The audit page: how far events are sealed, and the proof that none was altered. */
export function Page() {
  const { data } = useSuspenseQuery(headQuery());
  useTitle(m.audit.title);
  return (
    <div className={`page ${css.page}`}>
      <h1>{m.audit.title}</h1>
      <p>{m.audit.text}</p>
      <State head={data} />
      {data.head !== undefined && (
        <>
          <h2>{m.audit.verify}</h2>
          <p>{m.audit.verifyText}</p>
          <Verify />
          <h2>{m.audit.note}</h2>
          <p>{m.audit.noteText}</p>
          <Copied name={m.audit.head} text={data.head} />
          <h2>{m.audit.elsewhere}</h2>
          <p>{m.audit.elsewhereText}</p>
          <Copied name={m.audit.commands} text={commands} />
        </>
      )}
      <h2>{m.audit.keys}</h2>
      <Keys keys={data.keys} />
    </div>
  );
}

function State({ head: { seal, waiting, tenant } }: { readonly head: Schemas['AuditHead'] }) {
  return (
    <dl className={css.facts}>
      <div>
        <dt>{m.audit.newest}</dt>
        <dd>
          {seal ? (
            <>
              {String(seal.number)} · <Time on={seal.sealedOn} />
            </>
          ) : (
            m.audit.nothing
          )}
        </dd>
      </div>
      <div>
        <dt>{m.audit.waiting}</dt>
        <dd>{m.audit.waitingFor(waiting)}</dd>
      </div>
      <div>
        <dt>{m.audit.tenant}</dt>
        <dd>
          <code>{tenant}</code>
        </dd>
      </div>
    </dl>
  );
}

function Keys({ keys }: Pick<Schemas['AuditHead'], 'keys'>) {
  return (
    <>
      <ul className={css.keys}>
        {keys.map(({ id, createdOn, retiredOn }) => (
          <li key={id}>
            <code>{id}</code>
            <span>
              {m.audit.made} <Time on={createdOn} />
            </span>
            <span>
              {retiredOn === undefined ? (
                m.audit.inUse
              ) : (
                <>
                  {m.audit.retired} <Time on={retiredOn} />
                </>
              )}
            </span>
          </li>
        ))}
      </ul>
      {may('manageInstallation') && (
        <AskButton label={m.audit.retire} className="danger">
          {(close) => (
            <Ask title={m.audit.retire} isDanger requests={[retireRequest()]} onDone={close}>
              <p>{m.audit.retireText}</p>
            </Ask>
          )}
        </AskButton>
      )}
    </>
  );
}
