import type { Id, Schemas } from '@millrace/api';
import { useState } from 'react';
import { Button, Form, Heading, Input, Label, TextField } from 'react-aria-components';
import { awaySince } from '../connection/reach.ts';
import { AsScript } from '../dialogs/as-script.tsx';
import { EnterHint, useBeginning, WhileAway } from '../dialogs/ask.tsx';
import { useStore } from '../store/store.ts';
import { BulkFields } from './bulk-fields.tsx';
import { beginBulk, bulkRequest, type Target } from './bulk-queries.ts';
import {
  emptyDraft,
  mayBegin,
  needsNumber,
  needsReason,
  stepOf,
  type BulkAction,
  type Draft,
} from './bulk-rules.ts';
import css from './item.module.css';
import { m } from './messages.ts';
import { Refusals } from './refusals.tsx';
import { useTrial } from './use-trial.ts';
import { useTypes } from './use-types.ts';

interface Props {
  readonly queue: Schemas['Queue'];
  readonly action: BulkAction;
  readonly target: Target;
  /** The members that are filled in already. */
  readonly filledIn?: Partial<Draft>;
  /** Told when the action has begun. */
  readonly onBegun?: (() => void) | undefined;
  readonly onClose: () => void;
}

/** One action on many items: its fields, its trial, and the button that says what will be done. */
export function BulkForm({ queue, action, target: wanted, filledIn, onBegun, onClose }: Props) {
  // Exactly the tried items are changed, even when the list behind changes.
  const [target] = useState(wanted);
  const [draft, setDraft] = useState({ ...emptyDraft, ...filledIn });
  const [typed, setTyped] = useState('');
  const form = useBeginning();
  const types = useTypes(queue);
  const queueId = queue.id ?? 0;
  const tried = useTrial(queueId, stepOf(action, { ...draft, reason: '' }, types), target);
  const step = stepOf(action, draft, types);
  const changed = tried.trial?.changed ?? 0;
  const isAway = useStore(awaySince) !== undefined;
  const isReady = !isAway && !tried.isTrying && mayBegin({ action, changed, reason: draft.reason, typed });
  const begin = () => {
    if (!step || !isReady) return;
    beginBulk({ queue: { id: queueId, name: queue.name ?? '' }, action, step, target });
    onBegun?.();
    onClose();
  };
  return (
    <Form
      ref={form}
      onSubmit={(event) => {
        event.preventDefault();
        begin();
      }}
    >
      <Heading slot="title">{m.bulk[action]}</Heading>
      <p className={css.effect}>{m.bulk.effects[action]}</p>
      <BulkFields queue={queue} action={action} draft={draft} onChange={setDraft} />
      <Reason action={action} reason={draft.reason} onChange={(reason) => setDraft({ ...draft, reason })} />
      <Trial queueId={queueId} tried={tried} isComplete={step !== undefined} onFollow={onClose} />
      {needsNumber(action, changed) && (
        <TextField value={typed} onChange={setTyped} className={css.field}>
          <Label>{m.bulk.typeNumber(changed)}</Label>
          <Input inputMode="numeric" autoComplete="off" />
        </TextField>
      )}
      <div className={css.actions}>
        <Button type="submit" className={action === 'DELETE' ? 'danger' : 'primary'} isDisabled={!isReady}>
          {m.bulk.confirm(m.bulk[action], changed)} <EnterHint />
        </Button>
        <Button onPress={onClose}>{m.common.cancel}</Button>
        <WhileAway />
      </div>
      {step && <AsScript requests={[bulkRequest(queueId, step, target)]} />}
    </Form>
  );
}

interface ReasonProps {
  readonly action: BulkAction;
  readonly reason: string;
  readonly onChange: (reason: string) => void;
}

function Reason({ action, reason, onChange }: ReasonProps) {
  return (
    <TextField
      value={reason}
      onChange={onChange}
      isRequired={needsReason(action)}
      maxLength={1000}
      className={css.field}
    >
      <Label>{needsReason(action) ? m.bulk.reasonNeeded : m.item.reason}</Label>
      <Input />
    </TextField>
  );
}

interface TrialProps {
  readonly queueId: Id;
  readonly tried: ReturnType<typeof useTrial>;
  /** Whether everything that the count needs is filled in. */
  readonly isComplete: boolean;
  readonly onFollow: () => void;
}

function Trial({ queueId, tried: { trial, problem }, isComplete, onFollow }: TrialProps) {
  return (
    <>
      <p role="status" className={css.trial}>
        {trial ? toldOf(trial) : !problem && (isComplete ? m.bulk.trying : m.bulk.fillIn)}
      </p>
      {trial && <Refusals queueId={queueId} refusals={trial.refusals} onFollow={onFollow} />}
      <p role="alert" className="problem">
        {problem}
      </p>
    </>
  );
}

function toldOf({ selected, changed, unchanged, refused, isMore }: Schemas['BulkOutcome']): string {
  return m.bulk.would(selected, changed, unchanged, refused) + (isMore ? ` ${m.bulk.more}` : '');
}
