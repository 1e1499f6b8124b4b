import type { Schemas } from '@millrace/api';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { Button } from 'react-aria-components';
import { AsScript } from '../dialogs/as-script.tsx';
import { Text } from '../page/text.tsx';
import { AttributeEditor } from './attributes.tsx';
import { m } from './messages.ts';
import { changeModel, changeRequest } from './queries.ts';
import { draftsOf, isChanged, marksIn, type Draft } from './rules.ts';
import css from './models.module.css';

type Change = Schemas['WorkItemModelChange'];

interface Props {
  readonly model: Schemas['WorkItemModel'];
  /** @param version the new version, where the change was applied */
  readonly onClose: (version?: number) => void;
}

/** A change of a model: it must be tried on the open items before it can be applied. */
export function ChangeModel({ model, onClose }: Props) {
  const attributes = model.attributes ?? [];
  const [drafts, setDrafts] = useState<readonly Draft[]>(() => draftsOf(attributes));
  const [trial, setTrial] = useState<Change>();
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const edit = (next: readonly Draft[]) => {
    setDrafts(next);
    setTrial(undefined);
    setProblem('');
  };
  const run = async (dryRun: boolean) => {
    if (isBusy) return;
    setBusy(true);
    try {
      const change = await changeModel(changeRequest(model, drafts, dryRun), dryRun);
      if (dryRun) setTrial(change);
      else onClose(change.workItemModel.version);
    } catch (error) {
      setProblem((error as Error).message);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <AttributeEditor drafts={drafts} onChange={edit} />
      <div role="status">
        {trial ? <Trial trial={trial} marks={marksIn(attributes, drafts)} /> : isBusy && m.models.trying}
      </div>
      <p role="alert" className="problem">
        {problem}
      </p>
      <div className={css.actions}>
        {trial?.invalidItems === 0 ? (
          <Button className="primary" onPress={() => void run(false)}>
            {m.models.apply}
          </Button>
        ) : (
          <Button
            className="primary"
            isDisabled={!isChanged(attributes, drafts)}
            onPress={() => void run(true)}
          >
            {m.models.try}
          </Button>
        )}
        <Button onPress={() => onClose()}>{m.common.cancel}</Button>
      </div>
      {isChanged(attributes, drafts) && (
        <AsScript requests={[changeRequest(model, drafts, trial?.invalidItems !== 0)]} />
      )}
    </>
  );
}

const shown = 20;

interface TrialProps {
  readonly trial: Change;
  readonly marks: ReturnType<typeof marksIn>;
}

function Trial({ trial: { queues, invalidItems, invalid }, marks: { hidden, shown: bared } }: TrialProps) {
  const open = queues.reduce((sum, { openItems }) => sum + openItems, 0);
  return (
    <>
      <p className={css.trial}>
        {m.models.holds(queues.length, open)}{' '}
        {invalidItems === 0 ? m.models.fits : m.models.invalid(invalidItems)}
      </p>
      {hidden !== '' && <p>{m.models.hides(hidden)}</p>}
      {bared !== '' && <p>{m.models.shows(bared)}</p>}
      {invalidItems > 0 && (
        <>
          <ul>
            {invalid.slice(0, shown).map(({ message }, index) => (
              <li key={index}>
                <Text>{message}</Text>
              </li>
            ))}
          </ul>
          <p>
            {queues.map(({ id, name }) => (
              <Link
                key={String(id)}
                to="/queues/$id"
                params={{ id: String(id) }}
                search={{ q: 'status:NEW' }}
              >
                {m.models.itemsOf(name)}
              </Link>
            ))}
          </p>
        </>
      )}
    </>
  );
}
