import { Field } from '../page/fields.tsx';
import { exactly } from '../page/time.tsx';
import { usePreferences } from '../preferences/preferences.ts';
import { setPreference } from '../preferences/queries.ts';
import { timeZone } from '../store/preferences.ts';
import { useStore } from '../store/store.ts';
import { theme, themes } from '../theme/theme.ts';
import { m } from './messages.ts';
import css from './settings.module.css';

// A value that the server refuses stays in this browser.
const choose = (...chosen: Parameters<typeof setPreference>) =>
  void setPreference(...chosen).catch(() => undefined);

const densities = ['COMPACT', 'NORMAL', 'TOUCH'] as const;

/** The look of the console for this user, and its keys. */
export function Appearance() {
  const look = useStore(theme);
  const { density = 'NORMAL' } = usePreferences();
  return (
    <>
      <h2>{m.settings.appearance}</h2>
      <p className={css.soft}>{m.settings.kept}</p>
      <Choices
        label={m.settings.theme}
        chosen={look}
        choices={themes}
        names={m.settings.themes}
        onChoose={(one) => theme.set(one)}
      />
      <Choices
        label={m.settings.density}
        chosen={density}
        choices={densities}
        names={m.settings.densities}
        onChoose={(one) => choose('density', one)}
      />
      <Zone />
      <h2>{m.settings.keyboard}</h2>
      <LetterKeys />
    </>
  );
}

interface ChoicesProps<Choice extends string> {
  readonly label: string;
  readonly chosen: Choice;
  readonly choices: readonly Choice[];
  readonly names: Readonly<Record<Choice, string>>;
  readonly onChoose: (one: Choice) => void;
}

function Choices<Choice extends string>({ label, chosen, choices, names, onChoose }: ChoicesProps<Choice>) {
  return (
    <fieldset className={css.choices}>
      <legend>{label}</legend>
      {choices.map((one) => (
        <label key={one}>
          <input type="radio" name={label} checked={one === chosen} onChange={() => onChoose(one)} />
          {names[one]}
        </label>
      ))}
    </fieldset>
  );
}

/** The zone in which times are shown and typed; the current time shows the effect. */
function Zone() {
  const zone = useStore(timeZone);
  const own = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  return (
    <Field label={m.settings.zone} hint={m.settings.example(exactly(new Date().toISOString()))}>
      {(id) => (
        <select id={id} value={zone} onChange={({ target }) => timeZone.set(target.value)}>
          <option value="">{m.settings.browserZone(own)}</option>
          {['UTC', ...Intl.supportedValuesOf('timeZone').filter((one) => one !== 'UTC')].map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

function LetterKeys() {
  const { keys } = usePreferences();
  const isOn = keys !== false;
  return (
    <label className={css.check}>
      <input type="checkbox" checked={isOn} onChange={() => choose('keys', !isOn)} />
      <span>{m.settings.letterKeys}</span>
      <small>{m.settings.letterKeysText}</small>
    </label>
  );
}
