import { useState } from 'react';
import { Button, Input, SearchField } from 'react-aria-components';
import type { Schemas } from '@millrace/api';
import { Text } from '../page/text.tsx';
import css from './item.module.css';
import { m } from './messages.ts';

interface Props {
  readonly attempts: readonly Schemas['Attempt'][];
}

// Colours and cursor moves, meant for terminals.
const forTerminals = /\u001b(?:\[[0-9;?]*[A-Za-z]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)?)/g;

/** An output as people read it, without what moves a terminal. */
export function plainLog(text = ''): string {
  return text.replaceAll(forTerminals, '');
}

/** The newest output of the bot, of each attempt that left some; it grows while the bot runs. */
export function Log({ attempts }: Props) {
  const told = attempts.filter(({ logTail }) => logTail);
  const [chosen, setChosen] = useState<number>();
  const [find, setFind] = useState('');
  const [isWrapped, setWrapped] = useState(false);
  const attempt = told.find(({ number }) => number === chosen) ?? told.at(-1);
  if (!attempt) return undefined;
  const text = plainLog(attempt.logTail);
  return (
    <>
      <h2>{m.log.title}</h2>
      <div className={css.logTools}>
        {told.length > 1 && (
          <select
            aria-label={m.log.attempt}
            value={attempt.number}
            onChange={({ target }) => setChosen(Number(target.value))}
          >
            {told.map(({ number }) => (
              <option key={number} value={number}>
                {m.log.attemptOf(number)}
              </option>
            ))}
          </select>
        )}
        <SearchField aria-label={m.log.find} value={find} onChange={setFind}>
          <Input placeholder={m.log.find} />
        </SearchField>
        <Button className="quiet" aria-pressed={isWrapped} onPress={() => setWrapped(!isWrapped)}>
          {m.log.wrap}
        </Button>
        <Button className="quiet" onPress={() => void navigator.clipboard.writeText(text)}>
          {m.log.copy}
        </Button>
      </div>
      <pre className={css.log} data-wrapped={isWrapped} tabIndex={0} role="region" aria-label={m.log.title}>
        <Found text={text} find={find} />
      </pre>
    </>
  );
}

/** A text with all matches of a search marked. */
function Found({ text, find }: { readonly text: string; readonly find: string }) {
  if (find === '') return <Text>{text}</Text>;
  const parts = text.split(new RegExp(`(${find.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)})`, 'gi'));
  return parts.map((part, index) =>
    index % 2 ? (
      <mark key={index}>
        <Text>{part}</Text>
      </mark>
    ) : (
      <Text key={index}>{part}</Text>
    ),
  );
}
