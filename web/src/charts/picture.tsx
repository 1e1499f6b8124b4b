import { useEffect, useId, useRef, useState, type KeyboardEvent, type PointerEvent } from 'react';
import { Button } from 'react-aria-components';
import { Text } from '../page/text.tsx';
import { exactly } from '../page/time.tsx';
import css from './charts.module.css';
import { Axes, Bars, Done, Gaps, Line, type Field } from './marks.tsx';
import { m } from './messages.ts';
import {
  endsOf,
  joined,
  marksIn,
  plain,
  roundedUp,
  stepFrom,
  unitFor,
  type Span,
  type Stretch,
} from './rules.ts';
import type { ChartProps, Series } from './props.ts';

const [usualHeight, heightOfStrip] = [190, 84];

/** The picture at the full width of its place, so that its texts are as large as all others. */
export function Picture(props: ChartProps) {
  const { title, spans, series, linksOf, choose } = props;
  const place = useRef<HTMLDivElement>(null);
  const [stretch, setStretch] = useState<Stretch>();
  const last = spans.length - 1;
  const height = props.isStrip ? heightOfStrip : usualHeight;
  const most = Math.max(...spans.map((span) => heightOf(span, series)));
  const unit = props.isDuration ? unitFor(most) : plain;
  const field: Field = {
    width: useWidth(place),
    height,
    left: 44,
    base: height - 22,
    over: 10,
    top: roundedUp(most / unit.size) * unit.size,
    unit,
    count: spans.length,
  };
  const chosen = stretch && timeOf(props, stretch);
  const press = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && chosen && choose) choose.act(...chosen);
    else if (event.key === 'Escape') setStretch(undefined);
    else {
      const head = stepFrom(stretch?.head ?? spans.length, event.key, spans.length);
      if (head === undefined) return;
      setStretch({ anchor: event.shiftKey ? (stretch?.anchor ?? head) : head, head });
    }
    event.preventDefault();
  };
  return (
    <>
      <div
        ref={place}
        className={css.picture}
        role="slider"
        tabIndex={0}
        aria-label={m.charts.cursor(title)}
        aria-valuemin={0}
        aria-valuemax={last}
        aria-valuenow={stretch?.head ?? last}
        aria-valuetext={sentenceOf(props, stretch ?? { anchor: last, head: last })}
        onKeyDown={press}
        {...pointing(stretch, setStretch, (x) => indexAt(field, x))}
      >
        <Drawing {...props} field={field} stretch={stretch} />
      </div>
      <div className={css.readout}>
        {stretch && <Text>{sentenceOf(props, stretch)}</Text>} {chosen && linksOf?.(...chosen)}
        {chosen && choose && <Button onPress={() => choose.act(...chosen)}>{choose.label}</Button>}
      </div>
    </>
  );
}

/** The handlers of a pointer: it goes from span to span, and drawn with its button down it takes in a stretch, which then stays. */
function pointing(
  stretch: Stretch | undefined,
  setStretch: (stretch: Stretch) => void,
  indexUnder: (x: number) => number,
) {
  const under = ({ clientX, currentTarget }: PointerEvent) =>
    indexUnder(clientX - currentTarget.getBoundingClientRect().left);
  return {
    onPointerDown: (event: PointerEvent) => {
      const head = under(event);
      if (event.shiftKey && stretch) setStretch({ ...stretch, head });
      else setStretch({ anchor: head, head });
      event.currentTarget.setPointerCapture(event.pointerId);
    },
    onPointerMove: (event: PointerEvent) => {
      const head = under(event);
      const isDrawn = event.buttons % 2 === 1;
      if (isDrawn && stretch) setStretch({ ...stretch, head });
      else if (stretch === undefined || stretch.anchor === stretch.head) setStretch({ anchor: head, head });
    },
  };
}

function indexAt({ width, left, count }: Field, x: number): number {
  const index = Math.floor(((x - left) / (width - left)) * count);
  return Math.min(Math.max(index, 0), count - 1);
}

/** From when to when a stretch goes; undefined for spans that are not there any more. */
function timeOf(
  { spans, step, to }: ChartProps,
  stretch: Stretch,
): readonly [from: Date, to: Date] | undefined {
  const [first, last] = endsOf(stretch).map((index) => spans[index]);
  return first && last && [first.from, endOf(last, step, to)];
}

interface DrawingProps extends ChartProps {
  readonly field: Field;
  readonly stretch: Stretch | undefined;
}

/** For the eye alone: all that it shows is said beside it. */
function Drawing({ field, stretch, ...chart }: DrawingProps) {
  const { spans, series } = chart;
  const id = useId();
  return (
    <svg width={field.width} height={field.height} aria-hidden="true">
      <Gaps field={field} spans={spans} id={id} />
      <Axes {...chart} field={field} />
      <Bars field={field} spans={spans} series={series} />
      {series.map((one, index) => {
        const values = spans.map((span) => span.values[index]);
        return one.as === 'bar' ? undefined : (
          <Line key={one.label} field={field} series={one} values={values} />
        );
      })}
      <Done {...chart} field={field} />
      {stretch && <Cursor field={field} stretch={stretch} />}
    </svg>
  );
}

const usualWidth = 640;

/** The width of an element, kept up to date. */
function useWidth(place: { readonly current: HTMLElement | null }): number {
  const [width, setWidth] = useState(usualWidth);
  useEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(() => setWidth(Math.max(element.clientWidth, 200)));
    observer.observe(element);
    return () => observer.disconnect();
  }, [place]);
  return width;
}

function Cursor({ field, stretch }: { readonly field: Field; readonly stretch: Stretch }) {
  const { width, left, base, count } = field;
  const step = (width - left) / count;
  const [first, last] = endsOf(stretch);
  const x = left + first * step;
  return <rect className={css.cursor} x={x} y={0} width={(last - first + 1) * step} height={base} />;
}

/** The height of a span: its stacked bars, or its highest line. */
function heightOf({ values }: Span, series: readonly Series[]): number {
  const bars = values.map((value, index) => (series[index]?.as === 'bar' ? (value ?? 0) : 0));
  return Math.max(
    bars.reduce((sum, value) => sum + value, 0),
    ...values.map((value) => value ?? 0),
  );
}

function endOf({ from }: Span, step: number, to: Date): Date {
  return new Date(Math.min(from.getTime() + step * 1000, to.getTime()));
}

/** A stretch in words: of one span the values, of several their sums. */
function sentenceOf(chart: ChartProps, stretch: Stretch): string {
  const { series, spans, format } = chart;
  const [first, last] = endsOf(stretch);
  const inIt = spans.slice(first, last + 1);
  const values = joined(
    inIt,
    series.map(({ isSum = false }) => isSum),
  );
  const isUnknown = values.every((value) => value === undefined);
  const told = series.flatMap(({ label, isSum }, index) => {
    const value = values[index];
    if (value === undefined) return isUnknown ? m.charts.value(label, m.charts.noData) : [];
    return inIt.length > 1 && !isSum
      ? m.charts.most(label, format(value))
      : m.charts.value(label, format(value));
  });
  return `${whenOf(chart, inIt)}: ${told.join(', ')}. ${doneIn(chart, inIt)}`.trim();
}

const mostTold = 3;

function doneIn({ marks = [], step }: ChartProps, spans: readonly Span[]): string {
  const texts = marksIn(marks, spans, step).map(({ text }) => text);
  return m.charts.told(texts.slice(0, mostTold).join(' '), texts.length - mostTold);
}

function whenOf({ step, to }: ChartProps, spans: readonly Span[]): string {
  const [first, last] = [spans[0], spans.at(-1)];
  if (!first || !last) return '';
  const isOver = last.from.getTime() + step * 1000 <= to.getTime();
  const from = exactly(first.from.toISOString());
  const until = exactly(endOf(last, step, to).toISOString());
  return `${first === last ? from : m.charts.to(from, until)}${isOver ? '' : ` (${m.charts.soFar})`}`;
}
