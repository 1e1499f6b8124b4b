import type { Id } from '@millrace/api';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Button, Form, Input, Label, TextField } from 'react-aria-components';
import { AsScript } from '../dialogs/as-script.tsx';
import { Over } from '../dialogs/ask.tsx';
import { useEdited } from '../dialogs/edited.ts';
import { Others } from '../dialogs/meanwhile.tsx';
import { Unsent } from '../dialogs/unsent.tsx';
import { carryOut } from '../dialogs/queries.ts';
import { MayNot } from '../page/may-not.tsx';
import { queueQuery } from '../queues/queries.ts';
import { m } from './messages.ts';
import {
  noteAsStored,
  noteIn,
  noteNow,
  noteRequest,
  notesRequest,
  type Cluster,
  type SeenNote,
} from './queries.ts';
import css from './repair.module.css';

interface Props {
  readonly cluster: Cluster;
  readonly queueId: Id;
}

const how = { draftOf: ({ note }: SeenNote) => ({ note }), now: notesRequest, within: noteNow };
const words = { nameOf: () => m.repair.note };

/** The note about the cause in a queue; a note that others write meanwhile is met when one saves. */
export function Note({ cluster, queueId }: Props) {
  const { data: queue } = useQuery(queueQuery(queueId));
  const mayNote = queue?.capabilities?.includes('repair') === true;
  const edited = useEdited(noteIn(cluster, queueId), how);
  const { base, draft, change } = edited;
  const [told, setTold] = useState('');
  const [isPutOff, setPutOff] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const request = noteRequest(base, draft.note);
  const save = async (event: Pick<Event, 'preventDefault'>) => {
    event.preventDefault();
    if (isBusy) return;
    setBusy(true);
    setPutOff(false);
    try {
      const [stored] = await edited.save(() => carryOut([request]));
      edited.begin(noteAsStored(base, stored));
      setTold(m.repair.noted);
    } catch (error) {
      setTold((error as Error).message);
    }
    setBusy(false);
  };
  return (
    <Form className={css.note} onSubmit={(event) => void save(event)}>
      <Unsent isUnsent={draft.note !== base.note} />
      <TextField
        value={draft.note}
        onChange={(note) => change({ note })}
        maxLength={4000}
        isReadOnly={!mayNote || isBusy}
      >
        <Label>{m.repair.note}</Label>
        <Input />
      </TextField>
      <Button type="submit" isDisabled={!mayNote}>
        {m.repair.saveNote}
      </Button>
      {queue && !mayNote && <MayNot queue={queue}>{m.repair.mayNotNote}</MayNot>}
      {mayNote && <AsScript requests={[request]} />}
      <span role="status">{told}</span>
      <Over isOpen={edited.others !== undefined && !isPutOff} onClose={() => setPutOff(true)}>
        <Others
          title={m.repair.note}
          edited={edited}
          words={words}
          onTaken={() => setTold('')}
          onCancel={() => setPutOff(true)}
        />
      </Over>
    </Form>
  );
}
