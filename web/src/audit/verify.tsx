import { useEffect, useRef, useState } from 'react';
import { Button } from 'react-aria-components';
import { AsScript } from '../dialogs/as-script.tsx';
import { TextLine } from '../page/fields.tsx';
import { Text } from '../page/text.tsx';
import { m } from './messages.ts';
import { verifyAll, verifyRequest, type Found } from './queries.ts';
import css from './audit.module.css';

type State = 'idle' | 'running' | 'done' | 'stopped';

const seal = /^\d{1,15}:[\da-f]{64}$/;

/** Verifies the trail, however long it takes, and shows the result so far. */
export function Verify() {
  const [noted, setNoted] = useState('');
  const { state, found, problem, run, stop } = useVerification();
  const head = noted.trim();
  const isWrong = head !== '' && !seal.test(head);
  return (
    <>
      <TextLine
        label={m.audit.noted}
        hint={isWrong ? m.audit.notedWrong : undefined}
        value={noted}
        isWide
        onChange={setNoted}
      />
      <div className={css.buttons}>
        <Button
          className="primary"
          isDisabled={state === 'running' || isWrong}
          onPress={() => void run(head)}
        >
          {m.audit.verify}
        </Button>
        {state === 'running' && <Button onPress={stop}>{m.audit.stop}</Button>}
      </div>
      <p role="status" className={css.said} data-state={found?.problems.length ? 'bad' : state}>
        {toldOf(state, found)}
      </p>
      <p role="alert" className="problem">
        {problem}
      </p>
      {found !== undefined && found.problems.length > 0 && (
        <ul className={css.problems} aria-label={m.audit.problems} tabIndex={0}>
          {found.problems.map(({ kind, message }, index) => (
            <li key={index}>
              <code>{kind}</code> <Text>{message}</Text>
            </li>
          ))}
        </ul>
      )}
      {!isWrong && <AsScript requests={[verifyRequest(head)]} />}
    </>
  );
}

function useVerification() {
  const [found, setFound] = useState<Found>();
  const [state, setState] = useState<State>('idle');
  const [problem, setProblem] = useState('');
  const stopping = useRef<AbortController>(undefined);
  // Leaving the page stops the verification: nobody waits for it any more.
  useEffect(() => () => stopping.current?.abort(), []);
  const run = async (head: string) => {
    const { signal } = (stopping.current = new AbortController());
    setFound(undefined);
    setProblem('');
    setState('running');
    try {
      await verifyAll(head, signal, setFound);
      setState('done');
    } catch (error) {
      setState('stopped');
      if (!signal.aborted) setProblem((error as Error).message);
    }
  };
  return { state, found, problem, run, stop: () => stopping.current?.abort() };
}

function toldOf(state: State, found: Found | undefined): string {
  if (!found) return state === 'stopped' ? m.audit.stopped : '';
  const { events, erased, seals, sealsInAll, problems } = found;
  if (state === 'running') return m.audit.under(String(seals), String(sealsInAll), events);
  if (problems.length > 0) return m.audit.unsound(problems.length);
  return state === 'done' ? m.audit.sound(events, String(seals), erased) : m.audit.stopped;
}
