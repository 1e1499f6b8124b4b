import { stringifyJson } from '@millrace/api';
import { layOut, parts } from '../../reference/json.js';
import { LongText } from '../page/long-text.tsx';
import { Mask } from './mask.tsx';
import { withMasksAs } from './masks.ts';
import css from './json.module.css';

// Random for each load of the console, so that nobody can write it into data.
const sign = `mask ${Math.random()}`;

/** JSON to read: each number to its last digit, each text as it is, and masks as such. */
export function JsonView({ value, label }: { readonly value: unknown; readonly label: string }) {
  const text = layOut(stringifyJson(withMasksAs(sign, value)), 60);
  return (
    <pre className={css.json} tabIndex={0} role="region" aria-label={label}>
      {parts(text).map(({ kind, part }, index) => (
        <span key={index} data-kind={kind}>
          {part === `"${sign}"` ? <Mask /> : <LongText>{part}</LongText>}
        </span>
      ))}
    </pre>
  );
}
