import type { Id, Schemas } from '@millrace/api';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { Button } from 'react-aria-components';
import { dropped } from '../queues/dropped.ts';
import { useStore } from '../store/store.ts';
import { CheckStep } from './check-step.tsx';
import { ChooseFile } from './choose-file.tsx';
import { MapStep } from './map-step.tsx';
import { m } from './messages.ts';
import { previewQuery } from './queries.ts';
import { ReadStep } from './read-step.tsx';
import type { Reading, StepProps } from './rules.ts';
import css from './intake.module.css';

const steps = ['file', 'read', 'map', 'check'] as const;
type Step = (typeof steps)[number];

const unread: Reading = {
  mapping: {},
  leavesOut: false,
  dateFormat: '',
  timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
};

/** A spreadsheet into a queue, step by step: nothing is stored before the last. */
export function Wizard({ queue }: { readonly queue: Schemas['Queue'] }) {
  const given = useStore(dropped);
  const [file, setFile] = useState<File>();
  const [step, setStep] = useState<Step>('file');
  const progress = useRef<HTMLOListElement>(null);
  const go = (next: Step) => {
    setStep(next);
    // The button that led on is gone or another by then: keys go on from here.
    progress.current?.focus();
  };
  const choose = (chosen: File) => {
    setFile(chosen);
    go('read');
  };
  useEffect(() => {
    if (!given) return;
    choose(given);
    dropped.set(undefined);
  }, [given]);
  const isChosen = file !== undefined && step !== 'file';
  return (
    <section className={css.wizard}>
      <ol ref={progress} tabIndex={-1} className={css.steps} aria-label={m.intake.progress}>
        {steps.map((one, index) => (
          <li key={one} aria-current={one === step ? 'step' : undefined}>
            {m.intake.step(index + 1, m.intake.steps[one])}
          </li>
        ))}
      </ol>
      {isChosen ? (
        <Steps key={`${file.name} ${file.lastModified}`} {...{ queue, file, step, go }} />
      ) : (
        <ChooseFile queueId={queue.id ?? 0} onChoose={choose} />
      )}
    </section>
  );
}

interface StepsProps {
  readonly queue: Schemas['Queue'];
  readonly file: File;
  readonly step: Step;
  readonly go: (step: Step) => void;
}

/** The steps on one file; another file begins anew. */
function Steps({ queue, file, step, go }: StepsProps) {
  // The queue's format is the default; changes count for this file only.
  const [reading, setReading] = useState<Reading>({ ...unread, ...queue.intakeFormat });
  const queueId = queue.id ?? 0;
  const { data: preview, error, isFetching } = useQuery(previewQuery(queueId, file, reading));
  const isReady = preview !== undefined && !error && !isFetching;
  const shared = preview && { queueId, file, preview, reading, onRead: setReading };
  return (
    <>
      <p className={css.fileName}>
        <b>{file.name}</b> {m.intake.kilobytes(file.size)}
      </p>
      <p role="status">{isFetching ? m.intake.looking : ''}</p>
      <p role="alert" className="problem">
        {error?.message}
      </p>
      {shared && !error && (
        <StepShown step={step} shared={shared} modelId={queue.workItemModelId ?? 0} isReady={isReady} />
      )}
      <Ways step={step} go={go} isReady={isReady} isRefused={!!preview?.problems.length} />
    </>
  );
}

interface WaysProps extends Pick<StepsProps, 'step' | 'go'> {
  readonly isReady: boolean;
  /** Whether the file would be refused as it is read now. */
  readonly isRefused: boolean;
}

/** The buttons to the previous and to the next step. */
function Ways({ step, go, isReady, isRefused }: WaysProps) {
  const place = steps.indexOf(step);
  const [before = 'file', next] = [steps[place - 1], steps[place + 1]];
  return (
    <div className={css.actions}>
      <Button onPress={() => go(before)}>{step === 'read' ? m.intake.another : m.intake.back}</Button>
      {next && (
        <Button
          className="primary"
          isDisabled={!isReady || (isRefused && next === 'check')}
          onPress={() => go(next)}
        >
          {m.intake.next(m.intake.steps[next])}
        </Button>
      )}
    </div>
  );
}

interface ShownProps {
  readonly step: Step;
  readonly shared: StepProps;
  readonly modelId: Id;
  readonly isReady: boolean;
}

function StepShown({ step, shared, modelId, isReady }: ShownProps): ReactNode {
  if (step === 'read') return <ReadStep {...shared} />;
  if (step === 'map') return <MapStep {...shared} modelId={modelId} />;
  return isReady && <CheckStep {...shared} />;
}
