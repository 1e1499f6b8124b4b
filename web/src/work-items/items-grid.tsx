import type { Schemas } from '@millrace/api';
import { useNavigate } from '@tanstack/react-router';
import { useEffect, useMemo, useState } from 'react';
import { Button } from 'react-aria-components';
import type { Compiled } from '../filters/compile.ts';
import { Grid } from '../grid/grid.tsx';
import { usePreferences } from '../preferences/preferences.ts';
import { setColumns } from '../preferences/queries.ts';
import { ViewsMenu } from '../views/menu.tsx';
import { BulkMenu, type Opened } from './bulk.tsx';
import { actionsOn, decisive } from './bulk-rules.ts';
import { filtersBy } from './cell-filter.ts';
import { columnsOf, shownColumns, type ItemColumn } from './columns.tsx';
import { ExportButton } from './export-dialog.tsx';
import { ListNotice } from './list-notice.tsx';
import { ListTools } from './list-tools.tsx';
import { m } from './messages.ts';
import type { Item } from './queries.ts';
import { useItems, type ItemList } from './use-items.ts';
import { useSelection } from './use-selection.ts';
import { walk } from './walk.ts';

const newestFirst = '-createdOn';

/** The search part of a list's address. */
export interface ListSearch {
  readonly q?: string | undefined;
  readonly sort?: string | undefined;
  readonly cols?: string | undefined;
  readonly peek?: string | undefined;
  /** The picked view. */
  readonly view?: string | undefined;
}

interface ItemsGridProps {
  readonly queue: Schemas['Queue'];
  readonly filter: Compiled | undefined;
  readonly search: ListSearch;
  readonly onChange: (next: ListSearch, replace?: boolean) => void;
}

/** The items that a filter selects, with the actions on them. */
export function ItemsGrid(props: ItemsGridProps) {
  const { queue, filter, search, onChange } = props;
  const { all, shown, choose } = useColumns(props);
  const sort = search.sort ?? newestFirst;
  const list = useItems(queue, filter, sort, [...decisive, ...shown.flatMap(({ members }) => members)]);
  const rows = useRows(props, list);
  const { selection } = rows;
  const isOnSome = !selection.isAll && selection.ids.length > 0;
  return (
    <>
      <ListTools all={all} shown={shown} list={list} onColumns={choose}>
        <CellFilterButtons {...props} item={rows.item} column={rows.column} />
        <ViewsMenu
          queueId={queue.id ?? 0}
          view={search.view}
          shown={{ query: search.q ?? '', sort: search.sort ?? '', columns: search.cols?.split(',') ?? [] }}
          onPick={(picked) => onChange({ ...picked, peek: undefined })}
        />
        <BulkMenu
          queue={queue}
          target={isOnSome ? { ids: selection.ids } : { filter: filter ?? everything }}
          allowed={allowedOf(list, isOnSome ? selection.has : undefined)}
          opened={rows.opened}
          onOpened={rows.setOpened}
          onBegun={selection.clear}
        />
        <ExportButton
          queue={queue}
          filter={filter}
          sort={sort}
          shown={shown.map(({ id }) => id)}
          total={list.total}
          isEstimated={list.isEstimated}
        />
      </ListTools>
      <ListNotice
        queue={queue}
        q={search.q ?? ''}
        list={list}
        onFilter={(q) => onChange({ q: q || undefined })}
      />
      {list.items.length > 0 && <Rows {...props} columns={shown} list={list} sort={sort} rows={rows} />}
    </>
  );
}

interface RowsProps extends ItemsGridProps {
  readonly columns: readonly ItemColumn[];
  readonly list: ItemList;
  readonly sort: string;
  readonly rows: ReturnType<typeof useRows>;
}

function Rows({ search, onChange, columns, list, sort, rows }: RowsProps) {
  const { selection } = rows;
  return (
    <Grid
      label={m.items.grid}
      columns={columns}
      rows={list.items}
      total={list.total ?? -1}
      idOf={idOf}
      current={rows.current}
      onMove={rows.move}
      onPeek={(id) => onChange({ peek: id === search.peek ? undefined : id }, search.peek !== undefined)}
      onOpen={rows.open}
      onEnd={list.readOn}
      sort={sort}
      onSort={(by) => onChange({ sort: by === newestFirst ? undefined : by })}
      selection={selection}
      onKey={rows.onKey}
      onColumn={rows.setColumn}
      onEscape={() => (search.peek === undefined ? selection.clear() : onChange({ peek: undefined }))}
    />
  );
}

/** The actions that the selected items allow; undefined where not all of them are read. */
function allowedOf(
  { items, total, isEstimated }: ItemList,
  isSelected: ((id: string) => boolean) | undefined,
) {
  if (isSelected) return actionsOn(items.filter((item) => isSelected(idOf(item))));
  return total === items.length && !isEstimated ? actionsOn(items) : undefined;
}

function idOf(item: Item): string {
  return String(item.id);
}

/** All items of a queue, for want of a filter. */
const everything: Compiled = { operator: 'gt', field: 'id', value: '0' };

/** The columns of the address, or else those that the user last chose for this queue in any browser. */
function useColumns({ queue, search, onChange }: ItemsGridProps) {
  const { columns } = usePreferences();
  const list = `items-${queue.id ?? 0}`;
  const wanted = search.cols ?? columns?.[list]?.join(',');
  const all = useMemo(() => columnsOf(queue), [queue]);
  const shown = useMemo(() => shownColumns(all, wanted), [all, wanted]);
  const choose = (cols: string) => {
    onChange({ cols }, true);
    // A value that the server refuses stays in this browser.
    void setColumns(list, cols.split(',')).catch(() => undefined);
  };
  return { all, shown, choose };
}

const actionsByKey: Readonly<Record<string, Opened>> = {
  '.': 'menu',
  r: 'RESTART',
  d: 'DEFER',
  c: 'CANCEL',
  m: 'MOVE',
  e: 'EDIT',
};

/** The position in the list, the selected items, and the open action on them. */
function useRows({ queue, search, onChange }: ItemsGridProps, list: ItemList) {
  const navigate = useNavigate();
  const queueId = String(queue.id);
  const [moved, setMoved] = useState<string>();
  const [column, setColumn] = useState<string>();
  const [opened, setOpened] = useState<Opened>();
  const listed = useMemo(() => new Set(list.items.map(idOf)), [list.items]);
  const selection = useSelection(`${queueId} ${search.q ?? ''}`, listed);
  const current = search.peek ?? moved;
  const item = list.items.find((one) => idOf(one) === current);
  useEffect(() => walk.set({ queueId, ids: list.items.map(idOf) }), [queueId, list.items]);
  const filterBy = (way: 'only' | 'without', by: string | undefined): boolean => {
    const filters = item && by !== undefined && filtersBy(search.q ?? '', queue, item, by);
    if (filters) onChange({ q: filters[way], peek: undefined });
    return Boolean(filters);
  };
  const onKey = (key: string, id: string, by: string | undefined): boolean => {
    if (key === 'f' || key === 'F') return filterBy(key === 'f' ? 'only' : 'without', by);
    const action = actionsByKey[key];
    if (action === undefined) return false;
    // The item of the action is selected, so that the user sees it.
    if (!selection.isAll && selection.ids.length === 0) selection.add([id]);
    setOpened(action);
    return true;
  };
  const open = (workItemId: string) =>
    void navigate({ to: '/queues/$id/workitems/$workItemId', params: { id: queueId, workItemId } });
  const move = (id: string) => (search.peek === undefined ? setMoved(id) : onChange({ peek: id }, true));
  return { current, item, column, setColumn, opened, setOpened, selection, open, move, onKey };
}

interface CellFilterProps extends ItemsGridProps {
  readonly item: Item | undefined;
  readonly column: string | undefined;
}

/** The filters of `f` and `F` as buttons, once a cell is current. */
function CellFilterButtons({ queue, search, onChange, item, column }: CellFilterProps) {
  const filters = item && column !== undefined && filtersBy(search.q ?? '', queue, item, column);
  if (!filters) return undefined;
  const filterBy = (q: string) => onChange({ q, peek: undefined });
  return (
    <>
      <Button className="quiet" onPress={() => filterBy(filters.only)}>
        {m.items.onlySuch} <kbd aria-hidden="true">f</kbd>
      </Button>
      <Button className="quiet" onPress={() => filterBy(filters.without)}>
        {m.items.noneSuch} <kbd aria-hidden="true">F</kbd>
      </Button>
    </>
  );
}
