import { exactly } from '../page/time.tsx';
import css from './charts.module.css';
import { m } from './messages.ts';
import type { ChartProps } from './props.ts';

/** The same figures to read one by one, the newest first. */
export function ChartTable({ title, series, spans, format }: ChartProps) {
  return (
    <div className={css.table} role="region" aria-label={title} tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th>{m.charts.from}</th>
            {series.map(({ label }) => (
              <th key={label}>{label}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {spans.toReversed().map(({ from, values }) => (
            <tr key={from.getTime()}>
              <th scope="row">{exactly(from.toISOString())}</th>
              {series.map(({ label }, index) => {
                const value = values[index];
                return <td key={label}>{value === undefined ? m.charts.noData : format(value)}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
