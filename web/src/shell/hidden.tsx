import { Button, Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { m } from './messages.ts';
import { usePlacesBeyond } from './use-places.ts';

/** Why some pages are not at the side: which permission each needs. */
export function HiddenPages({ onClose }: { readonly onClose: () => void }) {
  return (
    <ModalOverlay isOpen onOpenChange={onClose} isDismissable className="overlay">
      <Modal className="modal">
        <Dialog>
          <Heading slot="title">{m.shell.hiddenPages}</Heading>
          <p>{m.shell.hiddenText}</p>
          <ul>
            {usePlacesBeyond().map(({ path, label, permissions = [] }) => (
              <li key={path}>{m.shell.needs(label, permissions)}</li>
            ))}
          </ul>
          <Button onPress={onClose}>{m.common.close}</Button>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
