import { Eye, EyeOff } from 'lucide-react';
import { useEffect, useState } from 'react';
import { Button } from 'react-aria-components';
import { Ask, Over, Reason } from '../dialogs/ask.tsx';
import { carryOut } from '../dialogs/queries.ts';
import { JsonView } from '../json/json-view.tsx';
import { hasMask, isMask } from '../json/masks.ts';
import { Text } from '../page/text.tsx';
import css from './item.module.css';
import { m } from './messages.ts';
import type { Item } from './queries.ts';
import { reveal, useMayReveal, type Revealed } from './reveal-queries.ts';

const secondsShown = 60;

/** The data and the output of an item. Sensitive values are masked, until a user who may asks to see them, for a minute. */
export function ItemData({ item, Title }: { readonly item: Item; readonly Title?: 'h2' | 'h3' }) {
  const [revealed, setRevealed] = useState<Revealed>();
  // The shown values are of this state of the item.
  const state = `${item.id} ${item.version}`;
  useEffect(() => setRevealed(undefined), [state]);
  const { json, output } = revealed ?? item;
  const isMasked = hasMask(item.json) || hasMask(item.output);
  return (
    <>
      {Title && <Title>{m.members.json}</Title>}
      {isMasked && !revealed && <RevealButton item={item} onReveal={setRevealed} />}
      {revealed && <Shown onHide={() => setRevealed(undefined)} />}
      <JsonView label={m.members.json} value={json} />
      {output && (
        <>
          {Title && <Title>{m.members.output}</Title>}
          <JsonView label={m.members.output} value={output} />
        </>
      )}
    </>
  );
}

/** Says that the values are shown, and for how long still; they are hidden as soon as nobody looks at the page any more. */
function Shown({ onHide }: { readonly onHide: () => void }) {
  const [left, setLeft] = useState(secondsShown);
  useEffect(() => {
    const end = Date.now() + secondsShown * 1000;
    const timer = setInterval(() => {
      const seconds = Math.ceil((end - Date.now()) / 1000);
      if (seconds > 0) setLeft(seconds);
      else onHide();
    }, 500);
    const leave = () => document.hidden && onHide();
    document.addEventListener('visibilitychange', leave);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', leave);
    };
    // Runs once, so that the time counts from when they were shown.
  }, []);
  return (
    <p className={css.revealed}>
      <span role="status">{m.reveal.shown}</span> <span aria-hidden="true">{m.reveal.left(left)}</span>{' '}
      <Button onPress={onHide}>
        <EyeOff size={14} aria-hidden="true" /> {m.reveal.hide}
      </Button>
    </p>
  );
}

interface RevealProps {
  readonly item: Item;
  readonly onReveal: (revealed: Revealed) => void;
}

function RevealButton({ item, onReveal }: RevealProps) {
  const [isOpen, setOpen] = useState(false);
  const mayReveal = useMayReveal();
  const close = () => setOpen(false);
  return (
    <p className={css.revealed}>
      <Button isDisabled={!mayReveal} onPress={() => setOpen(true)}>
        <Eye size={14} aria-hidden="true" /> {m.reveal.show}
      </Button>{' '}
      {!mayReveal && <small>{m.reveal.needs}</small>}
      <Over isOpen={isOpen} onClose={close}>
        <RevealForm item={item} onReveal={onReveal} onDone={close} />
      </Over>
    </p>
  );
}

function RevealForm({ item, onReveal, onDone }: RevealProps & { readonly onDone: () => void }) {
  const names = Object.entries({ ...item.output, ...item.json }).flatMap(([name, value]) =>
    isMask(value) ? [name] : [],
  );
  const [wanted, setWanted] = useState<readonly string[]>(names);
  const [reason, setReason] = useState('');
  const requests = [reveal(item, wanted, reason.trim())];
  const show = async () => {
    const [revealed] = await carryOut(requests);
    onReveal(revealed as Revealed);
  };
  const toggle = (name: string) =>
    setWanted(wanted.includes(name) ? wanted.filter((one) => one !== name) : [...wanted, name]);
  return (
    <Ask
      title={m.reveal.title}
      confirm={m.reveal.confirm}
      requests={requests}
      act={show}
      isReady={reason.trim() !== '' && wanted.length > 0}
      onDone={onDone}
    >
      <p>{m.reveal.text}</p>
      <fieldset className={css.names}>
        <legend>{m.reveal.which}</legend>
        {names.map((name) => (
          <label key={name} className="check">
            <input type="checkbox" checked={wanted.includes(name)} onChange={() => toggle(name)} />
            <Text>{name}</Text>
          </label>
        ))}
      </fieldset>
      <Reason label={m.reveal.reason} reason={reason} onChange={setReason} isRequired />
    </Ask>
  );
}
