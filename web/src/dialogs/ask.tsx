import { useEffect, useRef, useState, type ReactNode, type RefObject } from 'react';
import {
  Button,
  Dialog,
  DialogTrigger,
  Form,
  Heading,
  Input,
  Label,
  Modal,
  ModalOverlay,
  TextField,
} from 'react-aria-components';
import { awaySince } from '../connection/reach.ts';
import type { Request } from '../connection/request.ts';
import { AsScript } from './as-script.tsx';
import css from './dialogs.module.css';
import { m } from './messages.ts';
import { useStore } from '../store/store.ts';
import { carryOut } from './queries.ts';

interface AskProps {
  readonly title: string;
  /** The label of its main button; the title when left out. */
  readonly confirm?: string;
  readonly isDanger?: boolean;
  /** Whether all required fields are filled in. */
  readonly isReady?: boolean;
  /** The calls to make, which are also shown as commands. */
  readonly requests: readonly Request[];
  /** Acts in another way than by making the calls. */
  readonly act?: () => Promise<unknown>;
  readonly onDone: () => void;
  /** Closes without doing anything; as `onDone` when left out. */
  readonly onCancel?: () => void;
  /** The explanation and the fields. */
  readonly children?: ReactNode;
}

/** The form of every dialog that changes something: explanation, fields, the server's refusal, and the same as a command. */
export function Ask(props: AskProps) {
  const { title, confirm = title, isDanger, isReady = true, requests, onDone, children } = props;
  const { act = () => carryOut(requests), onCancel = onDone } = props;
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const form = useBeginning();
  const isAway = useStore(awaySince) !== undefined;
  const run = async () => {
    if (isBusy || !isReady || isAway) return;
    setBusy(true);
    setProblem('');
    await act().then(onDone, (error: Error) => setProblem(error.message));
    setBusy(false);
  };
  return (
    <Form
      ref={form}
      onSubmit={(event) => {
        event.preventDefault();
        void run();
      }}
    >
      <Heading slot="title">{title}</Heading>
      {children}
      <p role="alert" className="problem">
        {problem}
      </p>
      <div className={css.actions}>
        {/* Not disabled meanwhile, which would lose the focus. */}
        <Button type="submit" className={isDanger ? 'danger' : 'primary'} isDisabled={!isReady || isAway}>
          {confirm} <EnterHint />
        </Button>
        <Button onPress={onCancel}>{m.common.cancel}</Button>
        <WhileAway />
      </div>
      <AsScript requests={requests} />
    </Form>
  );
}

/** The reason why nothing can be done while the server does not answer. */
export function WhileAway() {
  const isAway = useStore(awaySince) !== undefined;
  return isAway ? <small role="status">{m.dialogs.whileAway}</small> : undefined;
}

/** Puts the focus on the first field of a form, or on its main button where it has none. */
export function useBeginning<Form extends HTMLElement = HTMLFormElement>(): RefObject<Form | null> {
  const form = useRef<Form>(null);
  useEffect(() => {
    if (form.current?.contains(document.activeElement)) return;
    form.current?.querySelector<HTMLElement>('input, select, textarea, .primary')?.focus();
  }, []);
  return form;
}

/** The hint on the button that Enter presses from any field. */
export function EnterHint() {
  return <small aria-hidden="true">{m.dialogs.enter}</small>;
}

interface ReasonProps {
  readonly label: string;
  readonly reason: string;
  readonly onChange: (reason: string) => void;
  readonly isRequired?: boolean;
}

/** The reason for the action, for people who later come upon it; one line, so that Enter submits. */
export function Reason({ label, reason, onChange, isRequired = false }: ReasonProps) {
  return (
    <TextField
      value={reason}
      onChange={onChange}
      autoFocus
      isRequired={isRequired}
      maxLength={1000}
      className={css.field}
    >
      <Label>{label}</Label>
      <Input />
    </TextField>
  );
}

interface OverProps {
  readonly isOpen: boolean;
  readonly onClose: () => void;
  readonly isWide?: boolean;
  /** Whether a press beside it closes it; not for dialogs with typed text. */
  readonly isDismissable?: boolean;
  /** The content is shown only once: nothing but its own button closes it. */
  readonly isOnce?: boolean;
  readonly children: ReactNode;
}

/** A dialog over the page. */
export function Over(props: OverProps) {
  const { isOpen, onClose, isWide, isOnce = false, isDismissable = !isOnce, children } = props;
  return (
    <ModalOverlay
      isOpen={isOpen}
      onOpenChange={onClose}
      isDismissable={isDismissable}
      isKeyboardDismissDisabled={isOnce}
      className="overlay"
    >
      <Modal className={isWide ? `modal ${css.wide ?? ''}` : 'modal'}>
        <Dialog className={css.dialog}>{children}</Dialog>
      </Modal>
    </ModalOverlay>
  );
}

interface AskButtonProps {
  readonly label: string;
  /** The name for people who do not see what stands beside it. */
  readonly name?: string;
  readonly className?: string;
  /** The key that presses it, on a page whose keys go over rows; it is shown on the button. */
  readonly shortcut?: string | undefined;
  readonly isDisabled?: boolean;
  readonly isWide?: boolean;
  readonly children: (close: () => void) => ReactNode;
}

/** A button that opens a dialog. */
export function AskButton(props: AskButtonProps) {
  const { label, name, className = '', shortcut, isDisabled = false, isWide, children } = props;
  return (
    <DialogTrigger>
      <Button className={className} aria-label={name} isDisabled={isDisabled} data-key={shortcut}>
        {label} {shortcut !== undefined && <kbd aria-hidden="true">{shortcut}</kbd>}
      </Button>
      <ModalOverlay isDismissable className="overlay">
        <Modal className={isWide ? `modal ${css.wide ?? ''}` : 'modal'}>
          <Dialog className={css.dialog}>{({ close }) => children(close)}</Dialog>
        </Modal>
      </ModalOverlay>
    </DialogTrigger>
  );
}
