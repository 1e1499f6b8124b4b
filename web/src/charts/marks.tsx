import { locale } from '../messages/region.ts';
import { timeZone } from '../store/preferences.ts';
import { useStore } from '../store/store.ts';
import css from './charts.module.css';
import { m } from './messages.ts';
import { gapsOf, labelledOf, marksIn, stretchesOf, ticksTo, type Span, type Unit } from './rules.ts';
import type { ChartProps, Series } from './props.ts';

/** The drawing area, in pixels: values stand at its left, times below its base. */
export interface Field {
  readonly width: number;
  readonly height: number;
  readonly left: number;
  readonly base: number;
  /** The y coordinate of the highest value. */
  readonly over: number;
  /** The highest value. */
  readonly top: number;
  readonly unit: Unit;
  /** The number of spans. */
  readonly count: number;
}

const round = (value: number) => Math.round(value * 10) / 10;
const stepOf = ({ width, left, count }: Field) => (width - left) / count;
const xOf = (field: Field, index: number) => round(field.left + (index + 0.5) * stepOf(field));
const yOf = ({ base, over, top }: Field, value: number) => round(base - (value / top) * (base - over));

interface GapsProps {
  readonly field: Field;
  readonly spans: readonly Span[];
  /** The id of the hatching, as several charts on a page have one. */
  readonly id: string;
}

/** Hatching where nothing is known, so that nobody takes it for zero. */
export function Gaps({ field, spans, id }: GapsProps) {
  const step = stepOf(field);
  return (
    <>
      <defs>
        <pattern id={id} width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
          <path d="M0 0V6" className={css.hatch} />
        </pattern>
      </defs>
      {gapsOf(spans).map(({ at, count }) => (
        <rect
          key={at}
          x={round(field.left + at * step)}
          y={field.over}
          width={round(count * step)}
          height={field.base - field.over}
          fill={`url(#${id})`}
        />
      ))}
    </>
  );
}

const day = 86_400;
const pixelsOfLabel = 110;

/** The values at the left, with lines, and some of the times below. */
export function Axes({
  spans,
  step,
  format,
  isWhole = false,
  field,
}: ChartProps & { readonly field: Field }) {
  const zone = useStore(timeZone);
  const isLong = spans.length * step > 2 * day;
  const style: Intl.DateTimeFormatOptions = isLong
    ? { month: 'short', day: 'numeric' }
    : { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
  const times = new Intl.DateTimeFormat(locale, { ...style, ...(zone !== '' && { timeZone: zone }) });
  const most = Math.floor((field.width - field.left) / pixelsOfLabel);
  return (
    <g className={css.axes}>
      {ticksTo(field.top, isWhole).map((value) => (
        <g key={value}>
          <path d={`M${field.left} ${yOf(field, value)}H${field.width}`} />
          <text x={field.left - 6} y={yOf(field, value) + 4} textAnchor="end">
            {field.unit.name === undefined
              ? format(value)
              : m.charts.inUnit(value / field.unit.size, m.charts.units[field.unit.name])}
          </text>
        </g>
      ))}
      {labelledOf(spans.length, most).map((index) => (
        <text key={index} x={round(field.left + index * stepOf(field))} y={field.height - 6}>
          {times.format(spans[index]?.from)}
        </text>
      ))}
    </g>
  );
}

interface BarsProps {
  readonly field: Field;
  readonly spans: readonly Span[];
  readonly series: readonly Series[];
}

/** Stacked bars, with a cross above bad ones. */
export function Bars({ field, spans, series }: BarsProps) {
  const step = stepOf(field);
  return spans.map(({ from, values }, index) => {
    let below = 0;
    const bars = series.flatMap(({ label, as, look }, which) => {
      const value = values[which] ?? 0;
      if (as !== 'bar' || value <= 0) return [];
      const [base, y] = [yOf(field, below), yOf(field, below + value)];
      below += value;
      return [
        <g key={label} data-look={look} className={css.bar}>
          <rect
            x={round(field.left + (index + 0.1) * step)}
            y={Math.min(y, base - 1)}
            width={round(step * 0.8)}
            height={Math.max(round(base - y), 1)}
          />
          {look === 'bad' && <path d={`M${xOf(field, index) - 2.5} ${round(y - 7)}l5 5m0 -5l-5 5`} />}
        </g>,
      ];
    });
    return <g key={from.getTime()}>{bars}</g>;
  });
}

/** A dot above each span in which something was done, with a line down to the base. */
export function Done({ spans, step, marks = [], field }: ChartProps & { readonly field: Field }) {
  return spans.map((span, index) => {
    if (marksIn(marks, [span], step).length === 0) return undefined;
    const x = xOf(field, index);
    return (
      <g key={span.from.getTime()} data-look="soft" className={css.line}>
        <path className={css.hatch} d={`M${x} ${field.over}V${field.base}`} strokeDasharray="2 3" />
        <circle cx={x} cy={field.over - 5} r="3.5" />
      </g>
    );
  });
}

interface LineProps {
  readonly field: Field;
  readonly series: Series;
  readonly values: readonly (number | undefined)[];
}

/** A line through the known values; a lone value is a dot. */
export function Line({ field, series: { look, as, isDashed }, values }: LineProps) {
  return stretchesOf(values).map((stretch) => {
    const points = stretch.map(([index, value]) => ({ x: xOf(field, index), y: yOf(field, value) }));
    const [first] = points;
    if (!first) return undefined;
    const line = `M${points.map(({ x, y }) => `${x} ${y}`).join('L')}`;
    return (
      <g key={first.x} data-look={look} className={css.line}>
        {as === 'area' && <path data-fill d={`${line}V${field.base}H${first.x}Z`} />}
        <path d={line} strokeDasharray={isDashed ? '5 4' : undefined} />
        {points.length === 1 && <circle cx={first.x} cy={first.y} r="2.5" />}
      </g>
    );
  });
}
