import { Link } from '@tanstack/react-router';
import type { Column } from '../grid/props.ts';
import { Text } from '../page/text.tsx';
import type { BenchRow, Cells } from './cells.ts';
import { EditCell } from './edit-cell.tsx';
import { m } from './messages.ts';
import type { Attribute } from './rules.ts';

/** The id, a cell for each attribute, and the error. */
export function columnsFor(
  attributes: readonly Attribute[],
  cells: Cells,
  queueId: string,
): Column<BenchRow>[] {
  return [
    {
      id: 'id',
      title: m.items.id,
      width: '5rem',
      cell: ({ id }) => (
        <Link to="/queues/$id/workitems/$workItemId" params={{ id: queueId, workItemId: id }} tabIndex={-1}>
          {id}
        </Link>
      ),
    },
    ...attributes.map((attribute, column): Column<BenchRow> => ({
      id: `attribute-${column}`,
      title: attribute.name,
      width: attribute.type === 'TEXT' ? 'minmax(10rem, 1fr)' : '9rem',
      cell: (row) => <EditCell row={row} attribute={attribute} column={column} cells={cells} />,
    })),
    {
      id: 'error',
      title: m.items.error,
      width: 'minmax(14rem, 2fr)',
      cell: ({ error }) => <Text>{error.split('\n')[0] ?? ''}</Text>,
    },
  ];
}
