import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState, type CSSProperties } from 'react';
import { m } from '../page/messages.ts';
import { usePreferences, type Preferences } from '../preferences/preferences.ts';
import css from './grid.module.css';
import { useKeys } from './keys.ts';
import type { GridProps } from './props.ts';

/** Any number of rows; only those on screen are drawn. */
export function Grid<Row>(props: GridProps<Row>) {
  const { label, columns, rows, total, current, idOf, onEnd } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const { density } = usePreferences();
  const [column, setColumn] = useState<string>();
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight(density),
    overscan: 12,
  });
  const drawn = virtual.getVirtualItems();
  const last = drawn.at(-1)?.index ?? 0;
  useEffect(() => {
    if (rows.length > 0 && last > rows.length - 40) onEnd();
  }, [last, rows.length, onEnd]);
  useEffect(() => virtual.measure(), [virtual, density]);
  const at = rows.findIndex((row) => idOf(row) === current);
  const toColumn = (to: string | undefined) => {
    setColumn(to);
    props.onColumn?.(to);
  };
  const toRow = (index: number) => virtual.scrollToIndex(index);
  const onKeyDown = useKeys(props, { at, column }, { toRow, toColumn });
  const activeId = column === undefined ? rowElement(current) : cellElement(current, column);
  const tracks = ['2rem', ...columns.map(({ width }) => width)];
  return (
    <div
      ref={scroller}
      className={css.grid}
      role="grid"
      aria-label={label}
      aria-rowcount={total < 0 ? -1 : total + 1}
      aria-colcount={columns.length + 1}
      aria-multiselectable="true"
      aria-activedescendant={drawn.some(({ index }) => index === at) ? activeId : undefined}
      tabIndex={0}
      onKeyDown={onKeyDown}
      style={{ '--tracks': tracks.join(' '), '--least': leastOf(tracks) } as CSSProperties}
    >
      <Head {...props} />
      <div role="rowgroup" className={css.body} style={{ height: virtual.getTotalSize() }}>
        {drawn.map(({ index, start }) => {
          const row = rows[index];
          return row === undefined ? undefined : (
            <Row key={idOf(row)} {...props} row={row} index={index} start={start} column={column} />
          );
        })}
      </div>
    </div>
  );
}

/** The width below which the grid scrolls: the least of each track. Head and rows share it, so that their columns line up. */
function leastOf(tracks: readonly string[]): string {
  const least = tracks.map((track) => /^minmax\(([^,]+),/.exec(track)?.[1] ?? track);
  return `calc(${least.join(' + ')} + ${tracks.length - 1} * var(--gap) + var(--before) + var(--behind))`;
}

const heights = { COMPACT: 28, NORMAL: 32, TOUCH: 44 };

/** The height of the styles, in pixels. On a phone a row has two lines. */
function rowHeight(density: Preferences['density'] = 'NORMAL'): number {
  return matchMedia('(width < 48rem)').matches ? 64 : heights[density];
}

function rowElement(id: string | undefined): string {
  return `row-${id ?? ''}`;
}

function cellElement(id: string | undefined, column: string): string {
  return `${rowElement(id)}-${column}`;
}

function Head<Row>(props: GridProps<Row>) {
  const { columns, sort, onSort } = props;
  return (
    <div role="rowgroup" className={css.head}>
      <div role="row" aria-rowindex={1} className={css.row}>
        <span role="columnheader" className={css.check}>
          <SelectAll {...props} />
        </span>
        {columns.map(({ id, title, isNumber, sort: field }) => (
          <span
            key={id}
            role="columnheader"
            title={title}
            data-number={isNumber}
            aria-sort={orderOf(sort, field)}
          >
            {field === undefined ? (
              title
            ) : (
              <button
                type="button"
                tabIndex={-1}
                className={css.sort}
                onClick={() => onSort(sort === `-${field}` ? field : `-${field}`)}
              >
                {title}
                <i aria-hidden="true">{arrowOf(sort, field)}</i>
              </button>
            )}
          </span>
        ))}
      </div>
    </div>
  );
}

/** Selects all rows that are read, or none; half ticked where some of them are selected. */
function SelectAll<Row>({ rows, idOf, selection }: GridProps<Row>) {
  const ids = rows.map(idOf);
  const isAny = ids.some(selection.has);
  const isAll = isAny && ids.every(selection.has);
  return (
    <input
      type="checkbox"
      className="tick"
      tabIndex={-1}
      aria-label={m.page.selectAll}
      checked={isAll}
      ref={(box) => {
        if (box) box.indeterminate = isAny && !isAll;
      }}
      onChange={() => (isAll ? selection.clear() : selection.add(ids))}
    />
  );
}

function orderOf(sort: string, field: string | undefined) {
  if (field === undefined) return undefined;
  return sort === field ? 'ascending' : sort === `-${field}` ? 'descending' : 'none';
}

function arrowOf(sort: string, field: string): string {
  return sort === field ? ' ↑' : sort === `-${field}` ? ' ↓' : '';
}

interface RowProps<Row> extends GridProps<Row> {
  readonly row: Row;
  readonly index: number;
  readonly start: number;
  /** The column of the current cell. */
  readonly column: string | undefined;
}

function Row<Row>(props: RowProps<Row>) {
  const { row, index, start, columns, idOf, current, selection, onPeek } = props;
  const id = idOf(row);
  return (
    <div
      role="row"
      id={rowElement(id)}
      aria-rowindex={index + 2}
      aria-selected={selection.has(id)}
      data-current={id === current}
      className={css.row}
      style={{ transform: `translateY(${start}px)` }}
      onClick={() => onPeek(id)}
    >
      <span role="gridcell" className={css.check}>
        <input
          type="checkbox"
          className="tick"
          tabIndex={-1}
          aria-label={id}
          checked={selection.has(id)}
          onClick={(event) => event.stopPropagation()}
          onChange={() => selection.toggle(id)}
        />
      </span>
      {columns.map((column) => (
        <span
          role="gridcell"
          key={column.id}
          id={cellElement(id, column.id)}
          data-column={column.id}
          data-number={column.isNumber}
          data-current={id === current && column.id === props.column}
        >
          {column.cell(row)}
        </span>
      ))}
    </div>
  );
}
