import { stringifyJson } from '@millrace/api';
import type { ReactNode } from 'react';
import { Button, Heading } from 'react-aria-components';
import { Text } from '../page/text.tsx';
import type { Change } from './changes.ts';
import css from './dialogs.module.css';
import type { Edited } from './edited.ts';
import { m } from './messages.ts';

interface MeanwhileProps {
  /** The changes of others; left out where what one edits is as one saw it. */
  readonly children: ReactNode;
  /** The members that one has changed oneself as well. */
  readonly clashes: readonly string[];
  readonly onApply: () => void;
  readonly onCancel: () => void;
}

/** Says that somebody was faster: what they have changed, and that no own change is lost. */
export function Meanwhile({ children, clashes, onApply, onCancel }: MeanwhileProps) {
  return (
    <>
      <p role="alert">{m.dialogs.meanwhile}</p>
      {children || <p>{m.dialogs.asSeen}</p>}
      {clashes.length > 0 && (
        <p className="problem">
          <Text>{m.dialogs.clashes(clashes.join(', '))}</Text>
        </p>
      )}
      <div className={css.actions}>
        <Button className="primary" onPress={onApply} autoFocus>
          {m.dialogs.apply}
        </Button>
        <Button onPress={onCancel}>{m.common.cancel}</Button>
      </div>
    </>
  );
}

/** How people are told of the members of something. */
export interface Words {
  readonly nameOf: (member: string) => string;
  /** The meaning of a text or a number of a member, such as the name behind an id; undefined where it stands for itself. */
  readonly told?: (member: string, value: string) => string | undefined;
}

interface OthersProps {
  readonly edited: Pick<Edited<unknown, unknown>, 'others' | 'clashes' | 'takeIn'>;
  readonly words: Words;
  /** Told when they are taken in. */
  readonly onTaken?: () => void;
  readonly onCancel: () => void;
}

/** The same for what a form sets: in place of the form, until the changes of others are taken in. */
export function OthersChanges({ edited, words, onTaken, onCancel }: OthersProps) {
  const { others = [], clashes, takeIn } = edited;
  const apply = () => {
    takeIn();
    onTaken?.();
  };
  return (
    <Meanwhile clashes={clashes.map(words.nameOf)} onApply={apply} onCancel={onCancel}>
      {others.length > 0 && (
        <Differences changes={others} words={words} before={m.dialogs.youSaw} after={m.dialogs.now} />
      )}
    </Meanwhile>
  );
}

/** The same in a dialog. */
export function Others({ title, ...others }: OthersProps & { readonly title: string }) {
  return (
    <>
      <Heading slot="title">
        <Text>{title}</Text>
      </Heading>
      <OthersChanges {...others} />
    </>
  );
}

interface DifferencesProps {
  readonly changes: readonly Change[];
  readonly words: Words;
  /** The titles of the two sides. */
  readonly before: string;
  readonly after: string;
}

/** The differences, member by member. */
export function Differences({ changes, words, before, after }: DifferencesProps) {
  return (
    <table className={css.diff}>
      <thead>
        <tr>
          <th scope="col">{m.dialogs.what}</th>
          <th scope="col">{before}</th>
          <th scope="col">{after}</th>
        </tr>
      </thead>
      <tbody>
        {changes.map((change) => (
          <tr key={change.name}>
            <th scope="row">
              <Text>{words.nameOf(change.name)}</Text>
            </th>
            {[change.before, change.after].map((value, side) => (
              <td key={side}>
                <Text>{shown(value, (one) => words.told?.(change.name, one))}</Text>
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A value in readable form: words of the contract stay as they are. */
function shown(value: unknown, told: (value: string) => string | undefined): string {
  if (value === undefined || value === '' || (Array.isArray(value) && value.length === 0))
    return m.dialogs.none;
  if (typeof value === 'boolean') return value ? m.dialogs.yes : m.dialogs.no;
  if (Array.isArray(value)) return value.map((one: unknown) => shown(one, told)).join(', ');
  if (typeof value === 'object' && value !== null) return Object.values(value).map(String).join(' ');
  if (typeof value === 'string') return told(value) ?? value;
  const text = stringifyJson(value);
  return told(text) ?? text;
}
