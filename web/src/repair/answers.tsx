import { useEffect, useRef, useState } from 'react';
import { Button, Form, Input, Label, TextField } from 'react-aria-components';
import { AsScript } from '../dialogs/as-script.tsx';
import { carryOut } from '../dialogs/queries.ts';
import { isSilent } from '../page/keys.ts';
import { actRequest, type Item } from '../work-items/queries.ts';
import { m } from './messages.ts';
import css from './repair.module.css';

const answers = ['done', 'notDone', 'partly'] as const;
type Answer = (typeof answers)[number];

interface Props {
  readonly item: Item;
  readonly onSettled: () => void;
}

/** Three large answers, by mouse or by the keys 1, 2 and 3, and a note on the findings. */
export function Answers({ item, onSettled }: Props) {
  const [answer, setAnswer] = useState<Answer>();
  const [note, setNote] = useState('');
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  const choose = (one: Answer) => {
    setAnswer(one);
    setProblem('');
    field.current?.focus();
  };
  useKeys(choose);
  const settle = async () => {
    if (isBusy || !answer) return;
    if (answer === 'partly' && note.trim() === '') return setProblem(m.doubts.needsNote);
    setBusy(true);
    await carryOut([actRequest(answer, item, note.trim())]).then(onSettled, (error: Error) =>
      setProblem(error.message),
    );
    setBusy(false);
  };
  return (
    <Form
      onSubmit={(event) => {
        event.preventDefault();
        void settle();
      }}
    >
      <Choices answer={answer} onChoose={choose} />
      <TextField
        value={note}
        onChange={(text) => {
          setNote(text);
          setProblem('');
        }}
        maxLength={4000}
        isInvalid={problem !== ''}
        // The problem is shown below: the browser must not keep the form from being sent.
        validationBehavior="aria"
      >
        <Label>{m.doubts.note}</Label>
        <Input ref={field} />
      </TextField>
      <p role="alert" className="problem">
        {problem}
      </p>
      <div className={css.buttons}>
        <Button type="submit" className="primary" isDisabled={!answer}>
          {m.doubts.confirm}
        </Button>
        <span className={css.help}>{m.doubts.keys}</span>
      </div>
      {answer && <AsScript requests={[actRequest(answer, item, note.trim())]} />}
    </Form>
  );
}

interface ChoicesProps {
  readonly answer: Answer | undefined;
  readonly onChoose: (answer: Answer) => void;
}

function Choices({ answer, onChoose }: ChoicesProps) {
  return (
    <div role="group" aria-label={m.doubts.answers} className={css.answers}>
      {answers.map((one, index) => (
        <button key={one} type="button" aria-pressed={one === answer} onClick={() => onChoose(one)}>
          <b>
            <kbd>{index + 1}</kbd> {m.item[one]}
          </b>
          <small>{m.doubts.effects[one]}</small>
        </button>
      ))}
    </div>
  );
}

/** Binds the answer keys while nobody types. */
function useKeys(choose: (answer: Answer) => void): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const isTyped = event.target instanceof HTMLElement && event.target.matches('input, textarea, select');
      const answer = answers[Number(event.key) - 1];
      if (!answer || isTyped || isSilent(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      choose(answer);
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  });
}
