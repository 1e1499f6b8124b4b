import { toId, type Schemas } from '@millrace/api';
import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { Button, Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { AsScript } from '../dialogs/as-script.tsx';
import { carryOut } from '../dialogs/queries.ts';
import { MayNot } from '../page/may-not.tsx';
import { Text } from '../page/text.tsx';
import { useTitle } from '../page/title.ts';
import { modelQuery, queueQuery } from '../queues/queries.ts';
import { Danger } from './danger.tsx';
import { MoreFields, NameFields } from './fields.tsx';
import { m } from './messages.ts';
import { saveRequest } from './queries.ts';
import { changesIn, draftOf, emptiedIn, type Changed, type Draft } from './rules.ts';
import css from './setup.module.css';

type Queue = Schemas['Queue'];

/** The settings of a queue: nothing is saved before a person has seen the changes. */
export function Page() {
  const { id } = useParams({ from: '/frame/queues/$id/settings' });
  const { data: queue } = useSuspenseQuery(queueQuery(toId(id)));
  const [said, setSaid] = useState('');
  const mayEdit = queue.capabilities?.includes('edit') === true;
  useTitle(m.setup.settings, queue.name ?? id);
  return (
    <div className={`page ${css.page}`}>
      <h2>{m.setup.settings}</h2>
      <p role="status">{said}</p>
      {!mayEdit && <MayNot queue={queue}>{m.setup.mayNot}</MayNot>}
      <fieldset disabled={!mayEdit} className={css.all}>
        <SettingsForm key={queue.version} queue={queue} onSaved={() => setSaid(m.setup.saved)} />
        <Danger queue={queue} />
      </fieldset>
    </div>
  );
}

interface FormProps {
  readonly queue: Queue;
  readonly onSaved: () => void;
}

function SettingsForm({ queue, onSaved }: FormProps) {
  const { data: model } = useQuery(modelQuery(queue.workItemModelId ?? 0));
  const [draft, setDraft] = useState(() => draftOf(queue));
  const [isReviewed, setReviewed] = useState(false);
  const change = (some: Partial<Draft>) => setDraft((now) => ({ ...now, ...some }));
  const attributes = (model?.attributes ?? []).map(({ name = '' }) => name);
  const changes = changesIn(queue, draft);
  const emptied = emptiedIn(queue, draft).map(nameOf).join(', ');
  return (
    <>
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
      <ModalOverlay isOpen={isReviewed} onOpenChange={setReviewed} isDismissable className="overlay">
        <Modal className="modal">
          <Dialog>
            <Review queue={queue} changes={changes} onClose={() => setReviewed(false)} onSaved={onSaved} />
          </Dialog>
        </Modal>
      </ModalOverlay>
    </>
  );
}

interface ReviewProps extends FormProps {
  readonly changes: readonly Changed[];
  readonly onClose: () => void;
}

/** The changes, before and after; saved at the version that the form was made from. */
function Review({ queue, changes, onClose, onSaved }: ReviewProps) {
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const save = async () => {
    if (isBusy) return;
    setBusy(true);
    try {
      await carryOut([saveRequest(queue, changes)]);
      onClose();
      onSaved();
    } catch (error) {
      setProblem((error as Error).message);
      setBusy(false);
    }
  };
  return (
    <>
      <Heading slot="title">{m.setup.changes}</Heading>
      <table className={css.diff}>
        <thead>
          <tr>
            <th scope="col">{m.setup.setting}</th>
            <th scope="col">{m.setup.before}</th>
            <th scope="col">{m.setup.after}</th>
          </tr>
        </thead>
        <tbody>
          {changes.map(({ member, before, after }) => (
            <tr key={member}>
              <th scope="row">{nameOf(member)}</th>
              <td>
                <Text>{shown(before)}</Text>
              </td>
              <td>
                <Text>{shown(after)}</Text>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p role="alert" className="problem">
        {problem}
      </p>
      <div className={css.actions}>
        <Button className="primary" onPress={() => void save()}>
          {m.setup.save}
        </Button>
        <Button onPress={onClose}>{m.common.cancel}</Button>
      </div>
      <AsScript requests={[saveRequest(queue, changes)]} />
    </>
  );
}

function nameOf(member: Changed['member']): string {
  return m.setup.members[member as keyof typeof m.setup.members];
}

/** A value in readable form: words of the contract stay as they are. */
function shown(value: unknown): string {
  if (value === undefined || value === '' || (Array.isArray(value) && value.length === 0))
    return m.setup.none;
  if (typeof value === 'boolean') return value ? m.setup.yes : m.setup.no;
  if (Array.isArray(value)) return value.join(', ');
  if (typeof value === 'object' && value !== null) return Object.values(value).join(' ');
  return typeof value === 'number' || typeof value === 'string' ? String(value) : '';
}
