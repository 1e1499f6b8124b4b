import { Text } from '../page/text.tsx';
import { exactly } from '../page/time.tsx';
import css from './charts.module.css';
import { m } from './messages.ts';
import type { ChartProps } from './props.ts';
import { marksIn, type Mark } from './rules.ts';

/** The same figures to read one by one, the newest first. */
export function ChartTable({ title, series, spans, step, format, marks = [] }: ChartProps) {
  return (
    <div className={css.table} role="region" aria-label={title} tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th>{m.charts.from}</th>
            {series.map(({ label }) => (
              <th key={label}>{label}</th>
            ))}
            {marks.length > 0 && <th>{m.charts.done}</th>}
          </tr>
        </thead>
        <tbody>
          {spans.toReversed().map((span) => (
            <tr key={span.from.getTime()}>
              <th scope="row">{exactly(span.from.toISOString())}</th>
              {series.map(({ label }, index) => {
                const value = span.values[index];
                return <td key={label}>{value === undefined ? m.charts.noData : format(value)}</td>;
              })}
              {marks.length > 0 && (
                <td>
                  <Text>{textsOf(marksIn(marks, [span], step))}</Text>
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function textsOf(marks: readonly Mark[]): string {
  return marks.map(({ text }) => text).join(' ');
}
