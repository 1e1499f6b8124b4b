import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Ask, AskButton } from '../dialogs/ask.tsx';
import { useEdited } from '../dialogs/edited.ts';
import { Others, type Words } from '../dialogs/meanwhile.tsx';
import { carryOut } from '../dialogs/queries.ts';
import { Choice, Field, TextLine } from '../page/fields.tsx';
import { Text } from '../page/text.tsx';
import { AskOwners } from '../people/owners.tsx';
import { Checks } from '../people/parts.tsx';
import { crowdQuery, rolesQuery, whoAmI } from '../people/queries.ts';
import { m } from './messages.ts';
import {
  automationsQuery,
  changeRequest,
  createRequest,
  deleteRequest,
  devicesQuery,
  poolRequest,
  poolsQuery,
  useMay,
  type Pool,
} from './queries.ts';
import { changesIn, draftOf, movesIn, sets, settingsOf, type Draft } from './rules.ts';

export function NewPool() {
  return (
    <AskButton label={m.pools.new} className="primary" isWide>
      {(close) => <Create onDone={close} />}
    </AskButton>
  );
}

interface FormProps {
  readonly onDone: () => void;
}

const isWhole = ({ name, slice, owners }: Draft) => name.trim() !== '' && slice !== '' && owners.length > 0;

function Create({ onDone }: FormProps) {
  const [draft, setDraft] = useState(() => draftOf({}, whoAmI().id));
  return (
    <Ask
      title={m.pools.new}
      confirm={m.pools.create}
      isReady={isWhole(draft)}
      requests={[createRequest(draft)]}
      onDone={onDone}
    >
      <Fields draft={draft} onChange={(some) => setDraft({ ...draft, ...some })} />
    </Ask>
  );
}

/** The actions on a pool, each in a dialog that says beforehand what it does. */
export function PoolActions({ pool }: { readonly pool: Pool }) {
  const { name, capabilities } = pool;
  const isDisabled = !capabilities?.includes('edit');
  return (
    <>
      <div role="group" aria-label={m.pools.actions(name)} className="buttons">
        <AskButton label={m.pools.edit} isDisabled={isDisabled} isWide>
          {(close) => <Edit pool={pool} onDone={close} />}
        </AskButton>
        <AskButton label={m.pools.delete} isDisabled={isDisabled} className="danger">
          {(close) => <Delete pool={pool} onDone={close} />}
        </AskButton>
      </div>
      {isDisabled && <AskOwners ids={pool.ownerIds}>{m.pools.mayNot}</AskOwners>}
    </>
  );
}

interface PoolFormProps extends FormProps {
  readonly pool: Pool;
}

const how = { draftOf: (pool: Pool) => draftOf(pool), settingsOf, lists: sets, now: poolRequest };

/** Changes a pool as it was seen: when it changes behind the dialog, both changes come together. */
function Edit({ pool: latest, onDone }: PoolFormProps) {
  const edited = useEdited(latest, how);
  const words = useWords();
  const { base: pool, draft, change } = edited;
  if (edited.others)
    return <Others title={m.pools.editOf(pool.name)} edited={edited} words={words} onCancel={onDone} />;
  const request = changeRequest(pool, draft);
  const isChanged = Object.keys(changesIn(pool, draft)).length > 0;
  const { into, out } = movesIn(pool, draft);
  return (
    <Ask
      title={m.pools.editOf(pool.name)}
      confirm={m.pools.save}
      isReady={isChanged && isWhole(draft)}
      requests={[request]}
      act={() => edited.save(() => carryOut([request]))}
      onDone={onDone}
    >
      <Fields draft={draft} pool={pool} onChange={change} />
      <p role="status">{m.pools.moves(into, out)}</p>
    </Ask>
  );
}

/** The words for the settings of a pool, and the names behind their ids. */
function useWords(): Words {
  const { data: devices } = useSuspenseQuery(devicesQuery());
  const seesUsers = useMay('viewUsers');
  const { data: users } = useQuery({ ...crowdQuery(), enabled: seesUsers });
  const { data: roles } = useQuery({ ...rolesQuery(), enabled: seesUsers });
  const names: Readonly<Record<string, string>> = {
    name: m.pools.name,
    description: m.pools.description,
    scheme: m.pools.scheme,
    timeSliceSeconds: m.pools.slice,
    deviceIds: m.pools.itsDevices,
    ownerIds: m.pools.owners,
    consumerRoleIds: m.pools.consumers,
  };
  const device = (id: string) => devices.list.find((one) => String(one.id) === id);
  const told: Readonly<Record<string, (value: string) => string | undefined>> = {
    scheme: (value) => m.pools.schemeNames[value as Pool['scheme']],
    deviceIds: (id) => device(id)?.nickname || device(id)?.hostName,
    ownerIds: (id) => users?.list.find((one) => String(one.id) === id)?.username,
    consumerRoleIds: (id) => roles?.list.find((one) => String(one.id) === id)?.name,
  };
  return { nameOf: (member) => names[member] ?? member, told: (member, value) => told[member]?.(value) };
}

function Delete({ pool, onDone }: PoolFormProps) {
  const { data: automations } = useSuspenseQuery(automationsQuery());
  const bound = automations.list.filter(({ poolId }) => poolId === pool.id).map(({ name }) => name);
  return (
    <Ask
      title={m.pools.deleteOf(pool.name)}
      confirm={m.pools.delete}
      isDanger
      requests={[deleteRequest(pool)]}
      onDone={onDone}
    >
      <p>{m.pools.deleteEffect(pool.deviceCount)}</p>
      {bound.length > 0 && (
        <p>
          <Text>{m.pools.bound(bound.join(', '))}</Text>
        </p>
      )}
    </Ask>
  );
}

interface FieldsProps {
  readonly draft: Draft;
  /** The pool to edit. */
  readonly pool?: Pool;
  readonly onChange: (some: Partial<Draft>) => void;
}

function Fields({ draft, pool, onChange }: FieldsProps) {
  return (
    <>
      <div className="fields">
        <TextLine
          label={m.pools.name}
          value={draft.name}
          isFirst
          isRequired
          onChange={(name) => onChange({ name })}
        />
        <TextLine
          label={m.pools.description}
          value={draft.description}
          most={4000}
          onChange={(description) => onChange({ description })}
        />
        <Choice
          label={m.pools.scheme}
          value={draft.scheme}
          choices={m.pools.schemeNames}
          onChange={(scheme) => scheme && onChange({ scheme })}
        />
        {draft.scheme === 'ROUND_ROBIN' && (
          <Slice value={draft.slice} onChange={(slice) => onChange({ slice })} />
        )}
      </div>
      <Devices draft={draft} onChange={onChange} {...(pool && { pool })} />
      {useMay('viewUsers') ? (
        <People draft={draft} onChange={onChange} />
      ) : (
        <p className="soft">{m.pools.peopleUnseen}</p>
      )}
    </>
  );
}

function Slice({ value, onChange }: { readonly value: string; readonly onChange: (typed: string) => void }) {
  return (
    <Field label={m.pools.slice}>
      {(id) => (
        <input
          id={id}
          type="number"
          min={1}
          max={86_400}
          required
          value={value}
          onChange={({ target }) => onChange(target.value)}
        />
      )}
    </Field>
  );
}

/** The devices that can be put in: any, or those of the pools that the user may change. */
function Devices({ draft, pool, onChange }: FieldsProps) {
  const { data: devices } = useSuspenseQuery(devicesQuery());
  const { data: pools } = useSuspenseQuery(poolsQuery());
  const managesAll = useMay('manageDevices');
  const own = pools.list.filter(({ capabilities }) => capabilities?.includes('edit')).map(({ id }) => id);
  const mayPut = devices.list.filter(
    ({ id, poolIds }) =>
      managesAll || pool?.deviceIds.includes(id ?? 0) || poolIds.some((one) => own.includes(one)),
  );
  return (
    <Checks
      label={m.pools.itsDevices}
      hint={m.pools.devicesHint}
      all={mayPut.map(({ id, nickname, hostName, labels }) => ({
        key: String(id),
        name: nickname === '' ? hostName : nickname,
        hint: labels.join(', ') || undefined,
      }))}
      chosen={draft.devices}
      onChange={(chosen) => onChange({ devices: chosen })}
    />
  );
}

function People({ draft, onChange }: FieldsProps) {
  const { data: users } = useQuery(crowdQuery());
  const { data: roles } = useQuery(rolesQuery());
  return (
    <>
      <Checks
        label={m.pools.owners}
        hint={m.pools.ownersHint}
        all={(users?.list ?? [])
          .filter(({ id, disabled }) => !disabled || draft.owners.includes(String(id)))
          .map(({ id, username }) => ({ key: String(id), name: username }))}
        chosen={draft.owners}
        onChange={(owners) => onChange({ owners })}
      />
      <Checks
        label={m.pools.consumers}
        hint={m.pools.consumersHint}
        all={(roles?.list ?? []).map(({ id, name }) => ({ key: String(id), name }))}
        chosen={draft.consumers}
        onChange={(consumers) => onChange({ consumers })}
      />
    </>
  );
}
