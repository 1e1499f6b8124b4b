import { Button, Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { usePreferences } from '../preferences/preferences.ts';
import { setPreference } from '../preferences/queries.ts';
import { m } from './messages.ts';
import css from './shell.module.css';
import { usePlaces } from './use-places.ts';

/** All keys, by the place where they work. */
export function Shortcuts({ onClose }: { readonly onClose: () => void }) {
  const places = usePlaces().map(({ key, label }) => [`g ${key}`, label] as const);
  const { keys } = usePreferences();
  const groups = { ...m.shell.keys, [m.shell.goTo]: places };
  return (
    <ModalOverlay isOpen onOpenChange={onClose} isDismissable className="overlay">
      <Modal className="modal">
        <Dialog className={css.shortcuts}>
          <Heading slot="title">{m.shell.shortcuts}</Heading>
          {Object.entries(groups).map(([where, ofGroup]) => (
            <section key={where}>
              <h3>{where}</h3>
              <dl>
                {ofGroup.map(([key, what]) => (
                  <div key={key}>
                    <dt>
                      <kbd>{key}</kbd>
                    </dt>
                    <dd>{what}</dd>
                  </div>
                ))}
              </dl>
            </section>
          ))}
          <label className="check">
            <input
              type="checkbox"
              checked={keys !== false}
              onChange={({ target }) => void setPreference('keys', target.checked).catch(() => undefined)}
            />
            {m.shell.single}
          </label>
          <p>{m.shell.singleHint}</p>
          <Button onPress={onClose}>{m.common.close}</Button>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
