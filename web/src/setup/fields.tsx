import { Choice, Field } from '../page/fields.tsx';
import { duration } from '../page/time.tsx';
import { m } from './messages.ts';
import { waitsOf, type Draft } from './rules.ts';
import css from './setup.module.css';

export interface FieldsProps {
  readonly draft: Draft;
  /** Names of the attributes of the model. */
  readonly attributes: readonly string[];
  readonly onChange: (some: Partial<Draft>) => void;
}

/** Name, description and order. */
export function NameFields({ draft, attributes, onChange }: FieldsProps) {
  return (
    <div className="fields">
      <Field label={m.setup.name}>
        {(id) => (
          <input
            id={id}
            value={draft.name}
            maxLength={255}
            required
            onChange={({ target }) => onChange({ name: target.value })}
          />
        )}
      </Field>
      <Field label={m.setup.description}>
        {(id) => (
          <textarea
            id={id}
            rows={1}
            value={draft.description}
            maxLength={4000}
            onChange={({ target }) => onChange({ description: target.value })}
          />
        )}
      </Field>
      {[0, 1, 2].map((place) => (
        <OrderField key={place} place={place} {...{ draft, attributes, onChange }} />
      ))}
    </div>
  );
}

function OrderField({ draft, attributes, onChange, place }: FieldsProps & { readonly place: number }) {
  const { orders } = draft;
  if (place > orders.length) return undefined;
  const change = (order: string) => {
    const next = orders.toSpliced(place, 1, order);
    onChange({ orders: order === '' ? next.slice(0, place) : next });
  };
  return (
    <Field label={m.setup.order(place + 1)} hint={place === 0 ? m.setup.orderHint : undefined}>
      {(id) => (
        <select id={id} value={orders[place] ?? ''} onChange={({ target }) => change(target.value)}>
          <option value="">{m.setup.oldestFirst}</option>
          {attributes.flatMap((name) => [
            <option key={name} value={name}>
              {m.setup.ascending(name)}
            </option>,
            <option key={`-${name}`} value={`-${name}`}>
              {m.setup.descending(name)}
            </option>,
          ])}
        </select>
      )}
    </Field>
  );
}

/** All other settings, in groups. */
export function MoreFields(props: FieldsProps) {
  const { draft, attributes, onChange } = props;
  return (
    <>
      <fieldset className={css.group}>
        <legend>{m.setup.duplicates}</legend>
        <label className="check">
          <input
            type="checkbox"
            checked={draft.disallowDuplicate}
            onChange={({ target }) => onChange({ disallowDuplicate: target.checked })}
          />{' '}
          {m.setup.disallow}
        </label>
        {draft.disallowDuplicate && (
          <>
            <Names
              label={m.setup.uniqueBy}
              chosen={draft.uniqueBy}
              all={attributes}
              onChange={(uniqueBy) => onChange({ uniqueBy })}
            />
            <Pick
              label={m.setup.scope}
              value={draft.duplicateScope}
              choices={m.setup.scopes}
              onChange={(duplicateScope) => onChange({ duplicateScope })}
            />
          </>
        )}
      </fieldset>
      <RetryFields {...props} />
      <ExpiryFields {...props} />
      <StartFields {...props} />
      <IntakeFields {...props} />
      <fieldset className={css.group}>
        <legend>{m.setup.columns}</legend>
        <Names
          label={m.setup.columns}
          chosen={draft.columns}
          all={attributes}
          onChange={(columns) => onChange({ columns })}
        />
      </fieldset>
    </>
  );
}

function RetryFields({ draft, onChange }: FieldsProps) {
  const waits = waitsOf(draft).map((seconds) => duration(seconds));
  return (
    <fieldset className={css.group}>
      <legend>{m.setup.retry}</legend>
      <div className="fields">
        <Amount label={m.setup.retries} value={draft.retries} onChange={(retries) => onChange({ retries })} />
        <Amount label={m.setup.lapses} value={draft.lapses} onChange={(lapses) => onChange({ lapses })} />
        <Pick
          label={m.setup.backOff}
          value={draft.backOff}
          choices={m.setup.backOffs}
          onChange={(backOff) => onChange({ backOff })}
        />
        {draft.backOff !== 'NONE' && (
          <>
            <Amount
              label={m.setup.seconds}
              value={draft.backOffSeconds}
              onChange={(backOffSeconds) => onChange({ backOffSeconds })}
            />
            {draft.backOff === 'EXPONENTIAL' && (
              <Amount
                label={m.setup.maxSeconds}
                value={draft.backOffMost}
                onChange={(backOffMost) => onChange({ backOffMost })}
              />
            )}
            <Amount label={m.setup.jitter} value={draft.jitter} onChange={(jitter) => onChange({ jitter })} />
          </>
        )}
      </div>
      {waits.length > 0 && <p>{m.setup.waits(waits.join(', '))}</p>}
    </fieldset>
  );
}

function ExpiryFields({ draft, onChange }: FieldsProps) {
  return (
    <fieldset className={css.group}>
      <legend>{m.setup.expiry}</legend>
      <div className="fields">
        <Pick
          label={m.setup.expires}
          value={draft.expiry}
          choices={m.setup.expiries}
          onChange={(expiry) => onChange({ expiry })}
        />
        {draft.expiry === 'DURATION' && (
          <>
            <Amount
              label={m.setup.duration}
              value={draft.expiryDuration}
              onChange={(expiryDuration) => onChange({ expiryDuration })}
            />
            <Pick
              label={m.setup.unit}
              value={draft.expiryUnit}
              choices={m.setup.units}
              onChange={(expiryUnit) => onChange({ expiryUnit })}
            />
          </>
        )}
        {draft.expiry === 'DATE' && (
          <Line
            label={m.setup.date}
            hint="2026-12-31T18:00:00Z"
            value={draft.expiryDate}
            onChange={(expiryDate) => onChange({ expiryDate })}
          />
        )}
      </div>
    </fieldset>
  );
}

function IntakeFields({ draft, onChange }: FieldsProps) {
  return (
    <fieldset className={css.group}>
      <legend>{m.setup.intake}</legend>
      <div className="fields">
        <Line
          label={m.setup.dateFormat}
          hint={m.setup.dateHelp}
          value={draft.dateFormat}
          onChange={(dateFormat) => onChange({ dateFormat })}
        />
        <Pick
          label={m.setup.decimalSign}
          value={draft.decimalSign}
          choices={m.setup.decimalSigns}
          onChange={(decimalSign) => onChange({ decimalSign })}
        />
        <Line
          label={m.setup.timeZone}
          hint={m.setup.zoneHelp}
          value={draft.timeZone}
          onChange={(timeZone) => onChange({ timeZone })}
        />
      </div>
    </fieldset>
  );
}

function StartFields({ draft, onChange }: FieldsProps) {
  return (
    <fieldset className={css.group}>
      <legend>{m.setup.start}</legend>
      <div className="fields">
        <Amount
          label={m.setup.threshold}
          value={draft.threshold}
          onChange={(threshold) => onChange({ threshold })}
        />
        <Pick
          label={m.setup.thresholdUnit}
          value={draft.thresholdUnit}
          choices={m.setup.thresholdUnits}
          onChange={(thresholdUnit) => onChange({ thresholdUnit })}
        />
        <Amount label={m.setup.manual} value={draft.manual} onChange={(manual) => onChange({ manual })} />
        <Pick
          label={m.setup.unit}
          value={draft.manualUnit}
          choices={m.setup.manualUnits}
          onChange={(manualUnit) => onChange({ manualUnit })}
        />
      </div>
    </fieldset>
  );
}

/** A line of text. */
function Line({ label, hint, value, onChange }: AmountProps & { readonly hint: string }) {
  return (
    <Field label={label} hint={hint}>
      {(id) => <input id={id} value={value} onChange={({ target }) => onChange(target.value)} />}
    </Field>
  );
}

interface AmountProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (typed: string) => void;
}

function Amount({ label, value, onChange }: AmountProps) {
  return (
    <Field label={label}>
      {(id) => (
        <input
          id={id}
          type="number"
          min={0}
          value={value}
          onChange={({ target }) => onChange(target.value)}
        />
      )}
    </Field>
  );
}

interface PickProps<Value extends string> {
  readonly label: string;
  readonly value: Value;
  readonly choices: Readonly<Record<Value, string>>;
  readonly onChange: (value: Value) => void;
}

function Pick<Value extends string>({ onChange, ...choice }: PickProps<Value>) {
  return <Choice {...choice} onChange={(value) => value && onChange(value)} />;
}

interface NamesProps {
  readonly label: string;
  readonly chosen: readonly string[];
  readonly all: readonly string[];
  readonly onChange: (names: readonly string[]) => void;
}

/** Some of the attributes. A newly chosen one goes last. */
function Names({ label, chosen, all, onChange }: NamesProps) {
  const toggle = (name: string) =>
    onChange(chosen.includes(name) ? chosen.filter((one) => one !== name) : [...chosen, name]);
  return (
    <div role="group" aria-label={label} className={css.names}>
      <span>{label}:</span>
      {all.map((name) => (
        <label key={name} className="check">
          <input type="checkbox" checked={chosen.includes(name)} onChange={() => toggle(name)} /> {name}
        </label>
      ))}
    </div>
  );
}
