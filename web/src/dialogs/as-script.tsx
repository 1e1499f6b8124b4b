import { useState } from 'react';
import { Button } from 'react-aria-components';
import type { Request } from '../connection/request.ts';
import { Command } from '../page/states.tsx';
import css from './dialogs.module.css';
import { m } from './messages.ts';
import { commandOf, curlOf } from './rules.ts';

interface Props {
  /** The calls of the dialog, in order. */
  readonly requests: readonly Request[];
}

/** The calls of a dialog as commands, for use in a script. */
export function AsScript({ requests }: Props) {
  const commands = requests.map(commandOf);
  const command = commands.every((one) => one !== undefined) ? commands.join('\n') : undefined;
  const operations = [...new Set(requests.map(({ operationId }) => operationId))];
  if (requests.length === 0) return undefined;
  return (
    <details className={css.script}>
      <summary>{m.dialogs.script}</summary>
      {command !== undefined && <Copied name={m.dialogs.command} text={command} />}
      <Copied name={m.dialogs.curl} text={requests.map(curlOf).join('\n')} />
      {operations.map((operation) => (
        <a key={operation} href={`/docs#${operation}`} target="_blank" rel="noopener">
          {m.dialogs.reference(operation)}
        </a>
      ))}
    </details>
  );
}

interface CopiedProps {
  readonly name: string;
  readonly text: string;
}

/** A text with a button that copies it. */
export function Copied({ name, text }: CopiedProps) {
  const [isCopied, setCopied] = useState(false);
  const copy = () => void navigator.clipboard.writeText(text).then(() => setCopied(true));
  return (
    <div className={css.copied}>
      <Command label={name}>{text}</Command>
      <Button aria-label={m.dialogs.copyOf(name)} onPress={copy}>
        {m.dialogs.copy}
      </Button>
      <span role="status">{isCopied && m.dialogs.copied}</span>
    </div>
  );
}
