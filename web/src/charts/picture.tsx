import { useEffect, useId, useRef, useState, type KeyboardEvent, type PointerEvent } from 'react';
import { exactly } from '../page/time.tsx';
import css from './charts.module.css';
import { Axes, Bars, Gaps, Line, type Field } from './marks.tsx';
import { m } from './messages.ts';
import { roundedUp, stepFrom, type Span } from './rules.ts';
import type { ChartProps, Series } from './props.ts';

const height = 190;

/** The picture, as wide as there is room, so that its texts are as large as all others. */
export function Picture(props: ChartProps) {
  const { title, spans, series, step, to, linksOf } = props;
  const place = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<number>();
  const last = spans.length - 1;
  const top = roundedUp(Math.max(...spans.map((span) => heightOf(span, series))));
  const field: Field = {
    width: useWidth(place),
    height,
    left: 44,
    base: height - 22,
    over: 10,
    top,
    count: spans.length,
  };
  const span = at === undefined ? undefined : spans[at];
  const move = (event: KeyboardEvent) => {
    const next = stepFrom(at ?? spans.length, event.key, spans.length);
    if (event.key === 'Escape') setAt(undefined);
    else if (next !== undefined) setAt(next);
    else return;
    event.preventDefault();
  };
  const point = ({ clientX, currentTarget }: PointerEvent) => {
    const x = clientX - currentTarget.getBoundingClientRect().left - field.left;
    const index = Math.floor((x / (field.width - field.left)) * spans.length);
    setAt(Math.min(Math.max(index, 0), last));
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
        aria-valuenow={at ?? last}
        aria-valuetext={sentenceOf(props, span ?? spans[last])}
        onKeyDown={move}
        onPointerMove={point}
        onPointerDown={point}
      >
        <Drawing {...props} field={field} at={at} />
      </div>
      <p className={css.readout}>
        {span && sentenceOf(props, span)} {span && linksOf?.(span.from, endOf(span, step, to))}
      </p>
    </>
  );
}

interface DrawingProps extends ChartProps {
  readonly field: Field;
  /** The span that the cursor is at. */
  readonly at: number | undefined;
}

/** For the eye alone: all that it shows is said beside it. */
function Drawing({ field, at, ...chart }: DrawingProps) {
  const { spans, series } = chart;
  const id = useId();
  return (
    <svg width={field.width} height={height} aria-hidden="true">
      <Gaps field={field} spans={spans} id={id} />
      <Axes {...chart} field={field} />
      <Bars field={field} spans={spans} series={series} />
      {series.map((one, index) => {
        const values = spans.map((span) => span.values[index]);
        return one.as === 'bar' ? undefined : (
          <Line key={one.label} field={field} series={one} values={values} />
        );
      })}
      {at !== undefined && <Cursor field={field} at={at} />}
    </svg>
  );
}

const usualWidth = 640;

/** How wide there is room, as that changes. */
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

function Cursor({ field: { width, left, base, count }, at }: { readonly field: Field; readonly at: number }) {
  const step = (width - left) / count;
  return <rect className={css.cursor} x={left + at * step} y={0} width={step} height={base} />;
}

/** How high a span is drawn: what stands on one another, or the highest line. */
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

function sentenceOf({ series, format, step, to }: ChartProps, span: Span | undefined): string {
  if (!span) return '';
  const told = series.map(({ label }, index) => {
    const value = span.values[index];
    return m.charts.value(label, value === undefined ? m.charts.noData : format(value));
  });
  const isOver = span.from.getTime() + step * 1000 <= to.getTime();
  return `${exactly(span.from.toISOString())}${isOver ? '' : ` (${m.charts.soFar})`}: ${told.join(', ')}.`;
}
