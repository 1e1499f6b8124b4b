import { useRef, useState } from 'react';
import { Button, Form, Input, Label, TextField } from 'react-aria-components';
import { AsScript } from '../dialogs/as-script.tsx';
import { carryOut } from '../dialogs/queries.ts';
import { useKey } from '../page/keys.ts';
import { actRequest, type Item } from './queries.ts';
import { m } from './messages.ts';
import css from './item.module.css';

const answers = ['done', 'notDone', 'partly'] as const;
type Answer = (typeof answers)[number];

interface Props {
  readonly item: Item;
  /** The label of the button that answers. */
  readonly confirm: string;
  readonly onSettled?: () => void;
}

/** Three large answers, by mouse or by the keys 1, 2 and 3, and a note on the findings. */
export function Answers({ item, confirm, onSettled }: Props) {
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
    if (answer === 'partly' && note.trim() === '') return setProblem(m.doubt.needsNote);
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
        <Label>{m.doubt.note}</Label>
        <Input ref={field} />
      </TextField>
      <p role="alert" className="problem">
        {problem}
      </p>
      <div className={css.actions}>
        <Button type="submit" className="primary" isDisabled={!answer}>
          {confirm}
        </Button>
        <span className="soft">{m.doubt.keys}</span>
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
    <div role="group" aria-label={m.doubt.answers} className={css.answers}>
      {answers.map((one, index) => (
        <button key={one} type="button" aria-pressed={one === answer} onClick={() => onChoose(one)}>
          <b>
            <kbd>{index + 1}</kbd> {m.item[one]}
          </b>
          <small>{m.doubt.effects[one]}</small>
        </button>
      ))}
    </div>
  );
}

/** Binds the answer keys. */
function useKeys(choose: (answer: Answer) => void): void {
  useKey('1', () => choose('done'), m.item.done);
  useKey('2', () => choose('notDone'), m.item.notDone);
  useKey('3', () => choose('partly'), m.item.partly);
}
