import { m } from '../page/messages.ts';
import css from './json.module.css';
import { maskText } from './masks.ts';

/** The stand-in for a value that only some may see. */
export function Mask() {
  return (
    <span className={css.mask} title={m.page.masked}>
      <span aria-hidden="true">{maskText}</span>
      <span className="unseen">{m.page.masked}</span>
    </span>
  );
}
