import { useState } from 'react';
import { Button } from 'react-aria-components';
import css from './charts.module.css';
import { m } from './messages.ts';
import { Picture } from './picture.tsx';
import type { ChartProps, Series } from './props.ts';
import { ChartTable } from './table.tsx';

/** Values over time: as a picture with a cursor that keys and pointers move, as a sentence, and as a table. */
export function TimeChart(props: ChartProps) {
  const { title, summary, spans, series, marks = [], isStrip = false } = props;
  const [isTable, setTable] = useState(false);
  const isKnown = spans.some(({ values }) => values.some((value) => value !== undefined));
  return (
    <section className={css.chart} aria-label={title} data-strip={isStrip}>
      <header>
        <h2>{title}</h2>
        {isKnown && (
          <Button className="quiet" onPress={() => setTable(!isTable)}>
            {isTable ? m.charts.chart : m.charts.table}
          </Button>
        )}
      </header>
      <p className={css.summary}>{isKnown ? summary : m.charts.nothing}</p>
      {isKnown && isTable && <ChartTable {...props} />}
      {isKnown && !isTable && (
        <>
          {series.length + marks.length > 1 && <Legend series={series} hasMarks={marks.length > 0} />}
          <Picture {...props} />
        </>
      )}
    </section>
  );
}

interface LegendProps {
  readonly series: readonly Series[];
  readonly hasMarks: boolean;
}

function Legend({ series, hasMarks }: LegendProps) {
  return (
    <ul className={css.legend}>
      {series.map(({ label, look, as, isDashed }) => (
        <li key={label}>
          <i data-look={look} data-as={as} data-dashed={isDashed} aria-hidden="true" />
          {label}
        </li>
      ))}
      {hasMarks && (
        <li>
          <svg width="14" height="8" data-look="soft" className={css.line} aria-hidden="true">
            <circle cx="5" cy="4" r="3.5" />
          </svg>
          {m.charts.done}
        </li>
      )}
    </ul>
  );
}
