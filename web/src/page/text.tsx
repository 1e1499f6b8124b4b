import { Fragment } from 'react';
import css from './page.module.css';

// Characters that change how a text looks without being seen: controls, directions, and zero-width ones.
const hidden = /([\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff])/;

/** A stored text as it is: invisible characters are drawn as their codes, so that none can deceive. */
export function Text({ children }: { readonly children: string }) {
  if (!hidden.test(children)) return children;
  return children.split(hidden).map((part, index) =>
    index % 2 ? (
      <mark key={index} className={css.hidden}>
        {codeOf(part)}
      </mark>
    ) : (
      <Fragment key={index}>{part}</Fragment>
    ),
  );
}

function codeOf(character: string): string {
  return `U+${character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
}
