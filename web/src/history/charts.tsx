import type { ReactNode } from 'react';
import type { Mark, Span } from '../charts/rules.ts';
import type { Series } from '../charts/props.ts';
import { TimeChart } from '../charts/time-chart.tsx';
import { duration, exactly } from '../page/time.tsx';
import { m } from './messages.ts';
import {
  backlogIn,
  flowIn,
  handlingIn,
  largest,
  oldestIn,
  spansOf,
  totalsOf,
  type Dated,
  type History,
} from './rules.ts';

interface Props extends Dated {
  readonly marks: readonly Mark[];
  readonly linksOf?: (from: Date, to: Date) => ReactNode;
}

const flow: readonly Series[] = [
  { label: m.history.complete, look: 'good', as: 'bar', isSum: true },
  { label: m.history.failed, look: 'bad', as: 'bar', isSum: true },
  { label: m.history.arrived, look: 'soft', as: 'line', isDashed: true, isSum: true },
];
const backlog: readonly Series[] = [
  { label: m.history.waiting, look: 'busy', as: 'area' },
  { label: m.history.running, look: 'warn', as: 'line', isDashed: true },
];
const oldest: readonly Series[] = [{ label: m.history.age, look: 'warn', as: 'area' }];
const handling: readonly Series[] = [
  { label: m.history.p50, look: 'busy', as: 'line' },
  { label: m.history.p95, look: 'warn', as: 'line', isDashed: true },
  { label: m.history.mean, look: 'soft', as: 'line' },
];

/** Incoming and finished items. */
export function FlowChart({ history, since, marks, linksOf }: Props) {
  const spans = spansOf(history, since, flowIn);
  return <Flow list={history.list} frame={history} spans={spans} marks={marks} linksOf={linksOf} />;
}

interface SpansProps {
  readonly list: History['list'];
  /** The length of the spans, and where the last one ends. */
  readonly frame: Pick<History, 'step' | 'to'>;
  readonly spans: readonly Span[];
  readonly marks?: readonly Mark[];
  readonly linksOf?: ((from: Date, to: Date) => ReactNode) | undefined;
}

export function Flow({ list, frame, spans, marks, linksOf }: SpansProps) {
  const { arrived, complete, failed } = totalsOf(list);
  const peak = largest(list, (entry) => entry.arrived);
  const told = [
    m.history.flowSummary(arrived, complete, failed),
    peak && peak.arrived > 0 && m.history.peak(peak.arrived, exactly(peak.from)),
  ];
  return (
    <TimeChart
      title={m.history.flow(m.history.spans[frame.step] ?? '')}
      summary={arrived + complete + failed > 0 ? told.filter(Boolean).join(' ') : m.history.none}
      series={flow}
      spans={spans}
      step={frame.step}
      to={new Date(frame.to)}
      format={m.number}
      isWhole
      marks={marks}
      {...(linksOf && { linksOf })}
    />
  );
}

/** Waiting items and items in progress at the end of each span. */
export function BacklogChart({ history, since, marks }: Props) {
  const spans = spansOf(history, since, backlogIn);
  return <Backlog list={history.list} frame={history} spans={spans} marks={marks} />;
}

export function Backlog({ list, frame, spans, marks }: SpansProps) {
  const most = largest(list, ({ counts }) => counts.NEW);
  const now = list.at(-1)?.counts.NEW ?? 0;
  return (
    <TimeChart
      title={m.history.backlog}
      summary={most ? m.history.backlogSummary(now, most.counts.NEW, exactly(most.from)) : ''}
      series={backlog}
      spans={spans}
      step={frame.step}
      to={new Date(frame.to)}
      format={m.number}
      isWhole
      marks={marks}
    />
  );
}

/** The age of the oldest waiting item. */
export function OldestChart({ history, since, marks }: Props) {
  const { list, step, to } = history;
  const longest = largest(list, ({ oldestWaitingSeconds }) => oldestWaitingSeconds);
  const most = longest?.oldestWaitingSeconds;
  const told = [
    longest && most !== undefined && m.history.oldestSummary(written(most), exactly(longest.from)),
    list.at(-1)?.counts.NEW === 0 && m.history.noneWaits,
  ];
  return (
    <TimeChart
      title={m.history.oldest}
      summary={most === undefined ? m.history.noneWaited : told.filter(Boolean).join(' ')}
      series={oldest}
      spans={spansOf(history, since, oldestIn)}
      step={step}
      to={new Date(to)}
      format={written}
      isDuration
      marks={marks}
    />
  );
}

/** The time from claim to finish, where something was finished. */
export function HandlingChart({ history, since, marks, linksOf }: Props) {
  const { step, to } = history;
  return (
    <TimeChart
      title={m.history.handling(m.history.spans[step] ?? '')}
      summary={handlingTold(history)}
      series={handling}
      spans={spansOf(history, since, handlingIn)}
      step={step}
      to={new Date(to)}
      format={written}
      isDuration
      marks={marks}
      {...(linksOf && { linksOf })}
    />
  );
}

function handlingTold({ list, p50HandlingSeconds: p50, p95HandlingSeconds: p95, percentileError }: History) {
  const { mean } = totalsOf(list);
  const longest = largest(list, ({ p95HandlingSeconds }) => p95HandlingSeconds);
  const longestP95 = longest?.p95HandlingSeconds;
  const told = [
    mean !== undefined && m.history.handlingMean(written(mean)),
    p50 !== undefined && p95 !== undefined && m.history.handlingParts(written(p50), written(p95)),
    longest &&
      longestP95 !== undefined &&
      m.history.handlingLongest(written(longestP95), exactly(longest.from)),
    p50 !== undefined && m.history.estimated(percentileError),
  ];
  return told.filter(Boolean).join(' ');
}

function written(seconds: number): string {
  return seconds < 60 ? m.history.seconds(seconds) : duration(seconds);
}
