import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Ask, AskButton } from '../dialogs/ask.tsx';
import { useEdited } from '../dialogs/edited.ts';
import { Others, type Words } from '../dialogs/meanwhile.tsx';
import { carryOut } from '../dialogs/queries.ts';
import { Field, TextLine } from '../page/fields.tsx';
import { Checks } from '../people/parts.tsx';
import { crowdQuery, whoAmI } from '../people/queries.ts';
import { m } from './messages.ts';
import {
  automationRequest,
  changeRequest,
  createRequest,
  devicesQuery,
  poolsQuery,
  queuesQuery,
  useMay,
  type Automation,
} from './queries.ts';
import { botsIn, changesIn, draftOf, isWhole, sets, settingsOf, suitedOf, type Draft } from './rules.ts';

/** Makes an automation, or says who may. @param queueId of which queue, where that is chosen already */
export function NewAutomation({ queueId = '' }: { readonly queueId?: string }) {
  if (!useMay('runAutomations')) return <small className="soft">{m.automations.mayNotCreate}</small>;
  return (
    <AskButton label={m.automations.new} className="primary" isWide>
      {(close) => <Create queueId={queueId} onDone={close} />}
    </AskButton>
  );
}

function Create({ queueId, onDone }: { readonly queueId: string; readonly onDone: () => void }) {
  const [draft, setDraft] = useState<Draft>(() => ({ ...draftOf(), queueId }));
  return (
    <Ask
      title={m.automations.new}
      confirm={m.automations.create}
      isReady={isWhole(draft)}
      requests={[createRequest(draft)]}
      onDone={onDone}
    >
      <Fields draft={draft} onChange={(some) => setDraft({ ...draft, ...some })} />
    </Ask>
  );
}

interface EditProps {
  readonly automation: Automation;
  readonly onDone: () => void;
}

/** How changes of an automation by several people come together. */
export const how = {
  draftOf: (automation: Automation) => draftOf(automation),
  settingsOf,
  lists: sets,
  now: automationRequest,
};

/** Changes an automation as it was seen: when it changes behind the dialog, both changes come together. */
export function EditAutomation({ automation: latest, onDone }: EditProps) {
  const edited = useEdited(latest, how);
  const words = useWords();
  const { base: automation, draft, change } = edited;
  const title = m.automations.heading('edit', automation.name);
  if (edited.others) return <Others title={title} edited={edited} words={words} onCancel={onDone} />;
  const request = changeRequest(automation, draft);
  const isChanged = Object.keys(changesIn(automation, draft)).length > 0;
  return (
    <Ask
      title={title}
      confirm={m.automations.save}
      isReady={isChanged && isWhole(draft)}
      requests={[request]}
      act={() => edited.save(() => carryOut([request]))}
      onDone={onDone}
    >
      <p>{m.automations.editEffect}</p>
      <Fields draft={draft} automation={automation} onChange={change} />
    </Ask>
  );
}

/** The words for the settings of an automation, and the names behind their ids. */
export function useWords(): Words {
  const { data: pools } = useSuspenseQuery(poolsQuery());
  const { data: users } = useQuery({ ...crowdQuery(), enabled: useMay('viewUsers') });
  const names: Readonly<Record<string, string>> = {
    name: m.automations.name,
    description: m.automations.description,
    poolId: m.automations.toPool,
    botName: m.automations.bot,
    labels: m.automations.labels,
    priority: m.automations.priorityOf,
    weight: m.automations.weightOf,
    runAsUserIds: m.automations.runAs,
    status: m.automations.state,
  };
  const told: Readonly<Record<string, (value: string) => string | undefined>> = {
    poolId: (id) => pools.list.find((one) => String(one.id) === id)?.name,
    status: (status) => Object.entries(m.automations.states).find(([one]) => one === status)?.[1],
    runAsUserIds: (id) => users?.list.find((one) => String(one.id) === id)?.username,
  };
  return { nameOf: (member) => names[member] ?? member, told: (member, value) => told[member]?.(value) };
}

interface FieldsProps {
  readonly draft: Draft;
  /** The automation to edit: it stays with its queue. */
  readonly automation?: Automation;
  readonly onChange: (some: Partial<Draft>) => void;
}

function Fields(props: FieldsProps) {
  const { draft, onChange } = props;
  return (
    <>
      <div className="fields">
        <TextLine
          label={m.automations.name}
          value={draft.name}
          isFirst
          isRequired
          onChange={(name) => onChange({ name })}
        />
        <TextLine
          label={m.automations.description}
          value={draft.description}
          most={4000}
          onChange={(description) => onChange({ description })}
        />
        <Ends {...props} />
        <Work {...props} />
      </div>
      <RunAs {...props} />
      <Suits draft={draft} />
    </>
  );
}

/** The queue and the pool of an automation: those that the user may use, and its present pool. */
function Ends({ draft, automation, onChange }: FieldsProps) {
  const { data: queues } = useSuspenseQuery(queuesQuery());
  const { data: pools } = useSuspenseQuery(poolsQuery());
  const own = queues.list.filter(
    ({ capabilities = [], archived }) =>
      !archived && (capabilities.includes('edit') || capabilities.includes('process')),
  );
  const used = pools.list.filter(
    ({ id, capabilities = [] }) => capabilities.includes('use') || id === automation?.poolId,
  );
  return (
    <>
      {!automation && (
        <Pick
          label={m.automations.fromQueue}
          hint={m.automations.fromHint}
          value={draft.queueId}
          all={own}
          onChange={(queueId) => onChange({ queueId })}
        />
      )}
      <Pick
        label={m.automations.toPool}
        hint={m.automations.toHint}
        value={draft.poolId}
        all={used}
        onChange={(poolId) => onChange({ poolId })}
      />
    </>
  );
}

interface PickProps {
  readonly label: string;
  readonly hint: string;
  readonly value: string;
  readonly all: readonly { readonly id?: number | bigint; readonly name?: string }[];
  readonly onChange: (id: string) => void;
}

function Pick({ label, hint, value, all, onChange }: PickProps) {
  return (
    <Field label={label} hint={hint}>
      {(id) => (
        <select id={id} value={value} required onChange={({ target }) => onChange(target.value)}>
          <option value="">{m.automations.choose}</option>
          {all.map((one) => (
            <option key={String(one.id)} value={String(one.id)}>
              {one.name}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

function Work({ draft, onChange }: FieldsProps) {
  const { data: devices } = useSuspenseQuery(devicesQuery());
  return (
    <>
      <Field label={m.automations.bot} hint={m.automations.botHint}>
        {(id) => (
          <>
            <input
              id={id}
              value={draft.botName}
              maxLength={255}
              required
              list={`${id}-bots`}
              onChange={({ target }) => onChange({ botName: target.value })}
            />
            <datalist id={`${id}-bots`}>
              {botsIn(draft.poolId, devices.list).map((bot) => (
                <option key={bot} value={bot} />
              ))}
            </datalist>
          </>
        )}
      </Field>
      <TextLine
        label={m.automations.labels}
        hint={m.automations.labelsHint}
        value={draft.labels}
        most={5000}
        onChange={(labels) => onChange({ labels })}
      />
      <Amount
        label={m.automations.priority}
        hint={m.automations.priorityHint}
        range={[0, 9]}
        value={draft.priority}
        onChange={(priority) => onChange({ priority })}
      />
      <Amount
        label={m.automations.weight}
        hint={m.automations.weightHint}
        range={[1, 100]}
        value={draft.weight}
        onChange={(weight) => onChange({ weight })}
      />
    </>
  );
}

interface AmountProps {
  readonly label: string;
  readonly hint: string;
  readonly range: readonly [number, number];
  readonly value: string;
  readonly onChange: (typed: string) => void;
}

function Amount({ label, hint, range: [min, max], value, onChange }: AmountProps) {
  return (
    <Field label={label} hint={hint}>
      {(id) => (
        <input
          id={id}
          type="number"
          required
          {...{ min, max, value }}
          onChange={({ target }) => onChange(target.value)}
        />
      )}
    </Field>
  );
}

/** The users as whom its bot works: oneself, the users it names already, and with a permission anybody. */
function RunAs({ draft, automation, onChange }: FieldsProps) {
  const { data } = useQuery({ ...crowdQuery(), enabled: useMay('viewUsers') });
  const mayName = useMay('manageDevices');
  const me = whoAmI();
  const known = data?.list ?? [{ id: me.id, username: me.username, disabled: false }];
  const named = draftOf(automation).runAs;
  const mine = [...named, String(me.id)];
  const unknown = named.filter((id) => !known.some((one) => String(one.id) === id));
  const all = known
    .filter(({ id, disabled }) => named.includes(String(id)) || !disabled)
    .map(({ id, username }) => ({ key: String(id), name: username }));
  return (
    <Checks
      label={m.automations.runAs}
      hint={m.automations.runAsHint}
      all={[...all, ...unknown.map((key) => ({ key, name: m.automations.user(key) }))].map((one) => ({
        ...one,
        obstacle: mayName || mine.includes(one.key) ? undefined : m.automations.notThem,
      }))}
      chosen={draft.runAs}
      onChange={(runAs) => onChange({ runAs })}
    />
  );
}

/** The number of devices that could do the work of the draft. */
function Suits({ draft }: Pick<FieldsProps, 'draft'>) {
  const { data: devices } = useSuspenseQuery(devicesQuery());
  if (draft.poolId === '' || draft.botName.trim() === '') return undefined;
  const { inPool, suited } = suitedOf(settingsOf(draft), devices.list);
  return <p role="status">{m.automations.suitsNow(suited, inPool)}</p>;
}
