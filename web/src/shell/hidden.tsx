import { Button, Heading } from 'react-aria-components';
import { Over } from '../dialogs/ask.tsx';
import { m } from './messages.ts';
import { usePlacesBeyond } from './use-places.ts';

/** Why some pages are not at the side: which permission each needs. */
export function HiddenPages({ onClose }: { readonly onClose: () => void }) {
  return (
    <Over isOpen onClose={onClose}>
      <Heading slot="title">{m.shell.hiddenPages}</Heading>
      <p>{m.shell.hiddenText}</p>
      <ul>
        {usePlacesBeyond().map(({ path, label, permissions = [] }) => (
          <li key={path}>{m.shell.needs(label, permissions)}</li>
        ))}
      </ul>
      <Button onPress={onClose}>{m.common.close}</Button>
    </Over>
  );
}
