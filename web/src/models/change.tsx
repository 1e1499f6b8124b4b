import type { Schemas } from '@millrace/api';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { Button } from 'react-aria-components';
import { AsScript } from '../dialogs/as-script.tsx';
import { useEdited, type Edited } from '../dialogs/edited.ts';
import { OthersChanges, type Words } from '../dialogs/meanwhile.tsx';
import { Text } from '../page/text.tsx';
import { AttributeEditor } from './attributes.tsx';
import { m } from './messages.ts';
import { changeModel, changeRequest, modelRequest } from './queries.ts';
import { draftsOf, isChanged, listOf, marksIn, recordOf, type Draft, type ModelDraft } from './rules.ts';
import css from './models.module.css';

type Change = Schemas['WorkItemModelChange'];

const how = {
  draftOf: ({ attributes = [] }: Schemas['WorkItemModel']) => recordOf(draftsOf(attributes)),
  settingsOf: (draft: ModelDraft) =>
    Object.fromEntries(listOf(draft).map((one) => [`#${one.key}`, toldOf(one)])),
  now: modelRequest,
};

/** An attribute in a line. */
function toldOf({ name, type, isRequired, sensitivity = 'NONE' }: Draft): string {
  const kind = [m.models.types[type], ...(isRequired ? [m.models.required] : [m.models.optional])];
  return `${name}: ${[...kind, ...(sensitivity === 'NONE' ? [] : [m.models.sensitivities[sensitivity]])].join(', ')}`;
}

/** Attributes by their names; those that others have added say theirs themselves. */
function wordsOf(draft: ModelDraft): Words {
  const names = new Map(listOf(draft).map(({ key, name }) => [`#${key}`, name]));
  return { nameOf: (member) => names.get(member) ?? m.models.attribute };
}

interface Props {
  readonly model: Schemas['WorkItemModel'];
  /** @param version the new version, where the change was applied */
  readonly onClose: (version?: number) => void;
}

/** A change of a model: it must be tried on the open items before it can be applied. */
export function ChangeModel({ model: latest, onClose }: Props) {
  const edited = useEdited(latest, how);
  const model = edited.base;
  const attributes = model.attributes ?? [];
  const drafts = listOf(edited.draft);
  const { trial, problem, isBusy, run, forget } = useTrial(edited, onClose);
  const edit = (next: readonly Draft[]) => {
    edited.replace(recordOf(next));
    forget();
  };
  if (edited.others) {
    const on = { onTaken: forget, onCancel: () => onClose() };
    return <OthersChanges edited={edited} words={wordsOf(edited.draft)} {...on} />;
  }
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

/** Tries a change, and applies what was tried as it stands. */
function useTrial(edited: Edited<Schemas['WorkItemModel'], ModelDraft>, onClose: Props['onClose']) {
  const [trial, setTrial] = useState<Change>();
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const forget = () => {
    setTrial(undefined);
    setProblem('');
  };
  const run = async (dryRun: boolean) => {
    if (isBusy) return;
    setBusy(true);
    const request = changeRequest(edited.base, listOf(edited.draft), dryRun);
    try {
      const change = await edited.save(() => changeModel(request, dryRun));
      if (dryRun) setTrial(change);
      else onClose(change.workItemModel.version);
    } catch (error) {
      setTrial(undefined);
      setProblem((error as Error).message);
    } finally {
      setBusy(false);
    }
  };
  return { trial, problem, isBusy, run, forget };
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
