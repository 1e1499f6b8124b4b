import { stringifyJson } from '@millrace/api';
import { layOut, parts } from '../../reference/json.js';
import { Shortened } from '../page/long-text.tsx';
import { Text } from '../page/text.tsx';
import { Mask } from './mask.tsx';
import { withMasksAs } from './masks.ts';
import css from './json.module.css';

// Nobody can write it into data: it is another one each time the console is loaded.
const sign = `mask ${Math.random()}`;

/** JSON to be read: each number to its last digit, each text as it is, and masks as such; of what is long, the beginning until one asks. */
export function JsonView({ value, label }: { readonly value: unknown; readonly label: string }) {
  const text = layOut(stringifyJson(withMasksAs(sign, value)), 60);
  return (
    <Shortened text={text}>
      {(shown) => (
        <pre className={css.json} tabIndex={0} role="region" aria-label={label}>
          {parts(shown).map(({ kind, part }, index) => (
            <span key={index} data-kind={kind}>
              {part === `"${sign}"` ? <Mask /> : <Text>{part}</Text>}
            </span>
          ))}
        </pre>
      )}
    </Shortened>
  );
}
