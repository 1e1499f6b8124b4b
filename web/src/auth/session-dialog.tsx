import { Button, Dialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { logOut, session } from '../connection/client.ts';
import { useStore } from '../store/store.ts';
import { LogInForm } from './log-in-form.tsx';
import { SignOnButtons } from './sign-on.tsx';
import css from './auth.module.css';
import { m } from './messages.ts';

/** Lies over the page when the session has ended: the page, its forms and pending calls go on behind it. */
export function SessionDialog() {
  const now = useStore(session);
  if (now.state !== 'over') return undefined;
  return (
    <ModalOverlay isOpen isKeyboardDismissDisabled className="overlay">
      <Modal className="modal">
        <Dialog className={css.dialog}>
          <Heading slot="title">{m.auth.over}</Heading>
          <p>{m.auth.overText(now.user.username)}</p>
          {now.user.passwordSet && <LogInForm username={now.user.username} />}
          {now.user.provider && (
            <SignOnButtons only={now.user.provider} next={location.pathname + location.search} />
          )}
          <Button className="quiet" onPress={() => void logOut()}>
            {m.auth.somebodyElse}
          </Button>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
