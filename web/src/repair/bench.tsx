import type { Schemas } from '@millrace/api';
import { useNavigate } from '@tanstack/react-router';
import { useMemo, useState, type Dispatch, type SetStateAction } from 'react';
import { Button } from 'react-aria-components';
import { Unsent } from '../dialogs/unsent.tsx';
import { Grid } from '../grid/grid.tsx';
import type { Selection } from '../grid/props.ts';
import { useKey } from '../page/keys.ts';
import { BulkMenu, type Opened } from '../work-items/bulk.tsx';
import { bulkActions, type BulkAction } from '../work-items/bulk-rules.ts';
import { useItems } from '../work-items/use-items.ts';
import { enterCell, useCells, type BenchRow } from './cells.ts';
import { columnsFor } from './columns.tsx';
import { m } from './messages.ts';
import { filterOf, type Cluster } from './queries.ts';
import { editsOf, type Attribute, type Row } from './rules.ts';
import { BenchNotice, Reach } from './reach.tsx';
import { SendBack } from './send-back.tsx';
import { Tools } from './tools.tsx';
import css from './repair.module.css';

interface Props {
  readonly cluster: Cluster;
  readonly queue: Schemas['Queue'];
  readonly model: Schemas['WorkItemModel'] | undefined;
}

const fields = ['id', 'version', 'json', 'error', 'status'];

/** The items of a cause in a queue, with cells to edit in place. */
export function Bench({ cluster, queue, model }: Props) {
  const navigate = useNavigate();
  const filter = useMemo(() => filterOf(cluster), [cluster]);
  const list = useItems(queue, filter, 'id', fields);
  const rows = useMemo(() => list.items.map(rowOf), [list.items]);
  const attributes = useMemo(() => attributesOf(model, rows), [model, rows]);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const bench = useCells(rows, attributes, selected);
  const { editing } = bench;
  const shown = useMemo(() => editsOf(rows, editing.edits), [rows, editing.edits]);
  const [first] = rows;
  useKey('e', () => (first ? enterCell(first.id, 0) : false), m.repair.edit);
  const open = (workItemId: string) =>
    void navigate({ to: '/queues/$id/workitems/$workItemId', params: { id: String(queue.id), workItemId } });
  return (
    <>
      <Unsent isUnsent={shown.size > 0} />
      <Tools rows={rows} attributes={attributes} cells={bench}>
        {rows.length > 0 && <Deeds cluster={cluster} queue={queue} />}
        <Reach queue={queue} list={list} filter={filter} edits={shown} />
        <SendBack queue={queue} rows={rows} attributes={attributes} editing={editing} />
      </Tools>
      {list.hasMore && <p className={css.help}>{m.repair.reach}</p>}
      <BenchNotice queue={queue} list={list} cluster={cluster} />
      <div className={css.rows} hidden={rows.length === 0}>
        <Grid
          label={m.repair.rows}
          columns={columnsFor(attributes, bench, String(queue.id))}
          rows={rows}
          total={list.total ?? -1}
          idOf={(row) => row.id}
          current={bench.current}
          onMove={bench.setCurrent}
          onPeek={bench.setCurrent}
          onOpen={open}
          onEnd={list.readOn}
          sort="id"
          onSort={() => undefined}
          selection={selectionOf(selected, setSelected)}
        />
      </div>
    </>
  );
}

type Ids = ReadonlySet<string>;

function selectionOf(selected: Ids, set: Dispatch<SetStateAction<Ids>>): Selection {
  return {
    has: (id) => selected.has(id),
    toggle: (id) => set((ids) => new Set(ids.has(id) ? [...ids].filter((one) => one !== id) : [...ids, id])),
    toggleAll: (ids) => set((known) => new Set(ids.every((id) => known.has(id)) ? [] : ids)),
    add: (ids) => set((known) => new Set([...known, ...ids])),
    clear: () => set(new Set<string>()),
  };
}

const unfit: ReadonlySet<BulkAction> = new Set(['RELEASE', 'CANCEL', 'RESOLVE']);
const fit = bulkActions.filter((action) => !unfit.has(action));

/** The actions on all items of the cause, above all another try. */
function Deeds({ cluster, queue }: Omit<Props, 'model'>) {
  const filter = useMemo(() => filterOf(cluster), [cluster]);
  const [opened, setOpened] = useState<Opened>();
  const mayRepair = queue.capabilities?.includes('repair') === true;
  const restart = () => mayRepair && setOpened('RESTART');
  const { count = 0, isMore = false } = cluster.queues.find(({ queueId }) => queueId === queue.id) ?? {};
  useKey('r', restart, m.repair.restartAll(count, isMore));
  return (
    <>
      <Button className="primary" aria-keyshortcuts="r" isDisabled={!mayRepair} onPress={restart}>
        {m.repair.restartAll(count, isMore)} <kbd aria-hidden="true">r</kbd>
      </Button>
      <BulkMenu queue={queue} target={{ filter }} actions={fit} opened={opened} onOpened={setOpened} />
    </>
  );
}

function rowOf({ id, version = 0, json = {}, error = '' }: Schemas['WorkItem']): BenchRow {
  return { id: String(id), version, json, error };
}

/** The attributes of the model; for users who may not see it, those of the items, as texts. */
function attributesOf(
  model: Schemas['WorkItemModel'] | undefined,
  rows: readonly Row[],
): readonly Attribute[] {
  if (model?.attributes) return model.attributes.map(attributeOf);
  const names = new Set(rows.flatMap(({ json }) => Object.keys(json)));
  return [...names].map((name) => ({ name, type: 'TEXT' }));
}

function attributeOf({ name = '', type = 'TEXT', isRequired = true }: ModelAttribute): Attribute {
  return { name, type, isRequired };
}

type ModelAttribute = NonNullable<Schemas['WorkItemModel']['attributes']>[number];
