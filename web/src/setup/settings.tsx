import { toId, type Schemas } from '@millrace/api';
import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { Button } from 'react-aria-components';
import { Ask, Over } from '../dialogs/ask.tsx';
import { useEdited, type Edited } from '../dialogs/edited.ts';
import { Differences, Others } from '../dialogs/meanwhile.tsx';
import { carryOut } from '../dialogs/queries.ts';
import { Unsent } from '../dialogs/unsent.tsx';
import { MayNot } from '../page/may-not.tsx';
import { useTitle } from '../page/title.ts';
import { modelQuery, queueQuery } from '../queues/queries.ts';
import { Danger } from './danger.tsx';
import { MoreFields, NameFields } from './fields.tsx';
import { m } from './messages.ts';
import { queueRequest, saveRequest } from './queries.ts';
import { changesIn, draftOf, emptiedIn, settingsOf, type Changed, type Draft } from './rules.ts';
import css from './setup.module.css';

type Queue = Schemas['Queue'];

/** The settings of a queue: nothing is saved before a person has seen the changes. */
export function Page() {
  const { id } = useParams({ from: '/frame/queues/$id/settings' });
  const { data: queue } = useSuspenseQuery(queueQuery(toId(id)));
  const mayEdit = queue.capabilities?.includes('edit') === true;
  useTitle(m.setup.settings, queue.name ?? id);
  return (
    <div className={`page ${css.page}`}>
      <h2>{m.setup.settings}</h2>
      {!mayEdit && <MayNot queue={queue}>{m.setup.mayNot}</MayNot>}
      <fieldset disabled={!mayEdit} className={css.all}>
        <SettingsForm key={id} queue={queue} />
        <Danger queue={queue} />
      </fieldset>
    </div>
  );
}

const how = { draftOf, settingsOf, lists: { uniqueBy: 'set' }, now: queueRequest } as const;

function SettingsForm({ queue: latest }: { readonly queue: Queue }) {
  const { data: model } = useQuery(modelQuery(latest.workItemModelId ?? 0));
  const edited = useEdited(latest, how);
  const { base, draft, change } = edited;
  const [isReviewed, setReviewed] = useState(false);
  const [said, setSaid] = useState('');
  const attributes = (model?.attributes ?? []).map(({ name = '' }) => name);
  const changes = changesIn(base, draft);
  const emptied = emptiedIn(base, draft).map(nameOf).join(', ');
  const saved = (stored: Queue) => {
    setReviewed(false);
    edited.begin(stored);
    setSaid(m.setup.saved);
  };
  return (
    <>
      <Unsent isUnsent={changes.length > 0} />
      <p role="status">{changes.length === 0 && said}</p>
      <NameFields draft={draft} attributes={attributes} onChange={change} />
      <MoreFields draft={draft} attributes={attributes} onChange={change} />
      <div className={css.actions}>
        <Button
          className="primary"
          isDisabled={changes.length === 0 || emptied !== ''}
          onPress={() => setReviewed(true)}
        >
          {m.setup.review}
        </Button>
        {changes.length === 0 && <span className="soft">{m.setup.nothing}</span>}
        <span role="status" className="problem">
          {emptied !== '' && m.setup.emptied(emptied)}
        </span>
      </div>
      <Over isOpen={isReviewed} onClose={() => setReviewed(false)} isDismissable>
        <Review edited={edited} changes={changes} onClose={() => setReviewed(false)} onSaved={saved} />
      </Over>
    </>
  );
}

interface ReviewProps {
  readonly edited: Edited<Queue, Draft>;
  readonly changes: readonly Changed[];
  readonly onClose: () => void;
  readonly onSaved: (stored: Queue) => void;
}

/** The changes, before and after; saved at the version that the form was made from. */
function Review({ edited, changes, onClose, onSaved }: ReviewProps) {
  if (edited.others)
    return <Others title={m.setup.changes} edited={edited} words={words} onCancel={onClose} />;
  const request = saveRequest(edited.base, changes);
  return (
    <Ask
      title={m.setup.changes}
      confirm={m.setup.save}
      isReady={changes.length > 0}
      requests={[request]}
      act={async () => {
        const [stored] = await edited.save(() => carryOut([request]));
        onSaved(stored as Queue);
      }}
      onDone={onClose}
    >
      <Differences
        changes={changes.map(({ member, ...sides }) => ({ name: member, ...sides }))}
        words={words}
        before={m.setup.before}
        after={m.setup.after}
      />
    </Ask>
  );
}

function nameOf(member: string): string {
  return m.setup.members[member as keyof typeof m.setup.members];
}

const words = { nameOf };
