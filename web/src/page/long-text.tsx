import { useState } from 'react';
import { Button } from 'react-aria-components';
import { beginningOf, isLong, partsIn } from './links.ts';
import { m } from './messages.ts';
import { Text } from './text.tsx';

/** A stored text as people read it: a long one is cut until somebody asks for all of it, and addresses of the web in it are links. */
export function LongText({ children: text }: { readonly children: string }) {
  const [isWhole, setWhole] = useState(false);
  if (!isLong(text)) return <Linked>{text}</Linked>;
  return (
    <>
      <Linked>{isWhole ? text : beginningOf(text)}</Linked>
      {!isWhole && '…'}{' '}
      <Button className="quiet" onPress={() => setWhole(!isWhole)}>
        {isWhole ? m.page.showLess : m.page.showAll(text.length)}
      </Button>
    </>
  );
}

/** A text with links. A page behind one learns not where its reader came from, and has no hold on this page. */
function Linked({ children: text }: { readonly children: string }) {
  return partsIn(text).map(({ text: part, link }, index) =>
    link ? (
      <span key={index}>
        <a href={link.href} target="_blank" rel="noopener noreferrer">
          {part}
        </a>
        {link.host !== undefined && <small> ({link.host})</small>}
      </span>
    ) : (
      <Text key={index}>{part}</Text>
    ),
  );
}
