import { useState, type ReactNode } from 'react';
import { Button } from 'react-aria-components';
import { m } from './messages.ts';
import { Text } from './text.tsx';

/** Characters of a text that are shown unasked: nobody reads more, and a page with a megabyte of it stands still. */
const most = 10_000;

interface Props {
  readonly text: string;
  /** Draws the part that is shown. */
  readonly children: (shown: string) => ReactNode;
}

/** The beginning of a text that may be long, and all of it on request. */
export function Shortened({ text, children }: Props) {
  const [isWhole, setWhole] = useState(false);
  if (isWhole || text.length <= most) return children(text);
  return (
    <>
      {children(`${beginningOf(text)} …`)}{' '}
      <Button className="quiet" onPress={() => setWhole(true)}>
        {m.page.showAll(text.length)}
      </Button>
    </>
  );
}

/** As a stored text is shown, cut where it is long. */
export function LongText({ children }: { readonly children: string }) {
  return <Shortened text={children}>{(shown) => <Text>{shown}</Text>}</Shortened>;
}

/** Cut at the end of a line where there is one near, and never within a character. */
function beginningOf(text: string): string {
  const beginning = text.slice(0, most);
  const line = beginning.lastIndexOf('\n');
  return line > most / 2 ? beginning.slice(0, line) : beginning.replace(/[\uD800-\uDBFF]$/u, '');
}
