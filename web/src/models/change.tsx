import type { Schemas } from '@millrace/api';
import { useState } from 'react';
import { Button } from 'react-aria-components';
import { AsScript } from '../dialogs/as-script.tsx';
import { useBeginning } from '../dialogs/ask.tsx';
import { useEdited, type Edited } from '../dialogs/edited.ts';
import { Unsent } from '../dialogs/unsent.tsx';
import { OthersChanges, type Words } from '../dialogs/meanwhile.tsx';
import { AttributeEditor } from './attributes.tsx';
import { m } from './messages.ts';
import { changeModel, changeRequest, modelRequest } from './queries.ts';
import {
  draftsOf,
  isChanged,
  listOf,
  lists,
  marksIn,
  recordOf,
  type Draft,
  type ModelDraft,
} from './rules.ts';
import { Trial } from './trial.tsx';
import css from './models.module.css';

type Change = Schemas['WorkItemModelChange'];
type Model = Schemas['WorkItemModel'];

const how = {
  draftOf: ({ attributes = [] }: Model) => recordOf(draftsOf(attributes)),
  settingsOf: (draft: ModelDraft) => {
    const drafts = listOf(draft);
    const told = Object.fromEntries(drafts.map((one) => [`#${one.key}`, toldOf(one)]));
    return { ...told, order: drafts.map(({ key }) => key) };
  },
  lists,
  now: modelRequest,
};

/** An attribute in a line. */
function toldOf({ name, type, isRequired, sensitivity = 'NONE' }: Draft): string {
  const kind = [m.models.types[type], ...(isRequired ? [m.models.required] : [m.models.optional])];
  return `${name}: ${[...kind, ...(sensitivity === 'NONE' ? [] : [m.models.sensitivities[sensitivity]])].join(', ')}`;
}

/** Attributes by their names; also those that were removed in the form, and those that others have added. */
function wordsOf({ base, draft, theirs = base }: Edited<Model, ModelDraft>): Words {
  const all = [...[theirs, base].flatMap(({ attributes = [] }) => draftsOf(attributes)), ...listOf(draft)];
  const names = new Map(all.map(({ key, name }) => [`#${key}`, name]));
  return {
    nameOf: (member) => (member === 'order' ? m.models.order : names.get(member) || m.models.attribute),
    told: (member, key) => (member === 'order' ? names.get(`#${key}`) : undefined),
  };
}

interface Props {
  readonly model: Model;
  /** @param version the new version, where the change was applied */
  readonly onClose: (version?: number) => void;
}

/** A change of a model: it must be tried on the open items before it can be applied. */
export function ChangeModel({ model: latest, onClose }: Props) {
  const edited = useEdited(latest, how);
  const tried = useTrial(edited, onClose);
  const onCancel = () => onClose();
  const on = { onTaken: tried.forget, onCancel };
  return (
    <>
      <Unsent isUnsent={isChanged(edited.base.attributes ?? [], listOf(edited.draft))} />
      {edited.others ? (
        <OthersChanges edited={edited} words={wordsOf(edited)} {...on} />
      ) : (
        <Attributes edited={edited} tried={tried} onCancel={onCancel} />
      )}
    </>
  );
}

interface AttributesProps {
  readonly edited: Edited<Model, ModelDraft>;
  readonly tried: ReturnType<typeof useTrial>;
  readonly onCancel: () => void;
}

function Attributes({ edited, tried, onCancel }: AttributesProps) {
  const { trial, problem, isBusy, run, forget } = tried;
  const place = useBeginning<HTMLDivElement>();
  const model = edited.base;
  const attributes = model.attributes ?? [];
  const drafts = listOf(edited.draft);
  const isDifferent = isChanged(attributes, drafts);
  const edit = (next: readonly Draft[]) => {
    edited.replace(recordOf(next));
    forget();
  };
  return (
    <div ref={place}>
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
          <Button className="primary" isDisabled={!isDifferent} onPress={() => void run(true)}>
            {m.models.try}
          </Button>
        )}
        <Button onPress={onCancel}>{m.common.cancel}</Button>
      </div>
      {isDifferent && <AsScript requests={[changeRequest(model, drafts, trial?.invalidItems !== 0)]} />}
    </div>
  );
}

/** Tries a change, and applies what was tried as it stands. */
function useTrial(edited: Edited<Model, ModelDraft>, onClose: Props['onClose']) {
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
