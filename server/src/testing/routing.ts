/** Whether a statement stays within one queue, judged by the grammar of PostgreSQL itself: such a statement goes to one machine. */
import { parse } from 'pgsql-parser';

/** Rules for statements on the tables of items, each with what breaks otherwise. */
export const rules = {
  queue: 'names the queue of each table of items: a machine that has other queues would be asked',
  top: 'changes items at its top: a change within a part of a statement goes through the coordinator',
  place: 'finds no rows by their place on disk, which differs on each machine',
  subscript: 'sets no column to an element of a list: refused for tables that are spread',
  lookup: 'reads no other table while it inserts: refused for tables that are spread',
  neighbour: 'reads only tables of the same queue: others are on other machines',
  volatile: 'takes no time or number from the database while it changes items: copies would differ',
} as const;

export type Rule = keyof typeof rules;

// The tables that would be distributed over machines by `queue_id`.
const spread = new Set([
  'work_items',
  'work_item_data',
  'work_item_values',
  'work_item_texts',
  'work_item_logs',
  'work_item_hashes',
  'queue_tallies',
  'queue_history',
  'events',
  'batches',
  'batch_tallies',
  'uploads',
  'remedies',
  'failure_notes',
]);
const volatile = new Set([
  'clock_timestamp',
  'random',
  'nextval',
  'gen_random_uuid',
  'pg_stat_get_xact_tuples_returned',
]);

type Node = Readonly<Record<string, unknown>>;

/** A table that a query reads or changes, under its name in the query. */
interface Table {
  readonly table: string;
  readonly alias: string;
}

/** The rules broken by a statement; none where it touches no table of items. */
export async function broken(text: string): Promise<Set<Rule>> {
  const { stmts = [] } = (await parse(text)) as { stmts?: { stmt: Node }[] };
  const found = new Set<Rule>();
  for (const { stmt } of stmts) if (tablesOf(stmt).some(isSpread)) judge(stmt, found);
  return found;
}

const isSpread = ({ table }: Table) => spread.has(table);

function judge(stmt: Node, found: Set<Rule>): void {
  const names = new Set(all(stmt, 'CommonTableExpr').map(({ ctename }) => ctename));
  if (tablesOf(stmt).some(({ table }) => !spread.has(table) && !names.has(table))) found.add('neighbour');
  if (all(stmt, 'CommonTableExpr').some(({ ctequery }) => changes(ctequery).length > 0)) found.add('top');
  if (columns(stmt).some((column) => column.at(-1) === 'ctid')) found.add('place');
  for (const change of changes(stmt)) judgeChange(change, found);
  if (!isBound(stmt, new Set())) found.add('queue');
}

function judgeChange(change: Node, found: Set<Rule>): void {
  const { InsertStmt, UpdateStmt } = change as Record<string, Node>;
  if (all(UpdateStmt?.['targetList'], 'A_Indirection').length > 0) found.add('subscript');
  if (InsertStmt && all(InsertStmt['selectStmt'], 'SubLink').some((link) => tablesOf(link).length > 0))
    found.add('lookup');
  const calls = all(change, 'FuncCall').flatMap(({ funcname }) => strings(funcname));
  if (calls.some((name) => volatile.has(name))) found.add('volatile');
}

/** The parts that change a table of items. */
function changes(node: unknown): Node[] {
  return ['InsertStmt', 'UpdateStmt', 'DeleteStmt'].flatMap((kind) =>
    all(node, kind)
      .filter(({ relation }) => spread.has(String((relation as Node)['relname'])))
      .map((change) => ({ [kind]: change })),
  );
}

/**
 * Whether each table of items in the query, and in its subqueries, is restricted to one queue: by a given value, or by another table that
 * is restricted in this way.
 * @param outer the names of tables around the query that are restricted.
 */
function isBound(node: unknown, outer: ReadonlySet<string>): boolean {
  const queries = nearest(node);
  return queries.every((query) => {
    const tables = ownTables(query);
    const held = heldIn(query, tables, outer);
    const isHeld = tables.filter(isSpread).every(({ alias }) => held.has(alias));
    return isHeld && isBound({ ...query }, held);
  });
}

function heldIn(query: Node, tables: readonly Table[], outer: ReadonlySet<string>): Set<string> {
  const aliases = tables.filter(isSpread).map(({ alias }) => alias);
  const held = new Set(outer);
  // A name inside hides the same one outside.
  for (const { alias } of tables) held.delete(alias);
  for (const part of own(query['fromClause'], 'RangeSubselect'))
    if (tablesOf(part).some(isSpread) && isBound(part['subquery'], outer)) held.add(aliasOf(part));
  const equal = ownConditions(query).flatMap(([left, right]) => [
    [left, right],
    [right, left],
  ]);
  for (let before = -1; before < held.size;) {
    before = held.size;
    for (const [column, value] of equal) {
      const [alias = aliases.length === 1 ? aliases[0] : undefined, name] = splitColumn(column);
      if (name !== 'queue_id' || !isGiven(value, held)) continue;
      for (const one of alias === undefined ? aliases : [alias]) held.add(one);
    }
  }
  return held;
}

function isGiven(value: unknown, held: ReadonlySet<string>): boolean {
  if (all(value, 'ColumnRef').length === 0) return all(value, 'ParamRef').length > 0;
  const [alias, name] = splitColumn(value);
  return name === 'queue_id' && alias !== undefined && held.has(alias);
}

function splitColumn(node: unknown): [string | undefined, string | undefined] {
  const [column] = columns(node);
  return column && column.length > 1 ? [column[0], column[1]] : [undefined, column?.[0]];
}

const kinds = ['SelectStmt', 'InsertStmt', 'UpdateStmt', 'DeleteStmt'];

/** Whether the value under a key is a query; the two sides of a union come without the name of their kind. */
function isQuery(key: string, value: unknown): boolean {
  const isSide = (key === 'larg' || key === 'rarg') && typeof value === 'object' && value !== null;
  return kinds.includes(key) || (isSide && 'op' in value);
}

/** The outermost queries within a node. */
function nearest(node: unknown): Node[] {
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([key, value]) =>
    isQuery(key, value) ? [value as Node] : nearest(value),
  );
}

/** The tables of a query itself, without those of its subqueries. */
function ownTables(query: Node): Table[] {
  const target = query['relation'];
  // Rows that go into a table have their queue among their values.
  const isInsert = 'selectStmt' in query || 'onConflictClause' in query;
  const sources = [query['fromClause'], query['usingClause'], isInsert ? undefined : target];
  return sources
    .flatMap((source) => own(source, 'RangeVar'))
    .map(asTable)
    .concat(asTarget(target, isInsert));
}

const asTarget = (target: unknown, isInsert: boolean): Table[] =>
  target && !isInsert ? [asTable(target as Node)] : [];

function asTable(node: Node): Table {
  return { table: String(node['relname']), alias: aliasOf(node) };
}

const aliasOf = ({ relname, alias }: Node) => String((alias as Node | undefined)?.['aliasname'] ?? relname);

/** The pairs that a query requires to be equal, in its own conditions that all have to hold. */
function ownConditions(query: Node): [unknown, unknown][] {
  const joins = own(query['fromClause'], 'JoinExpr').map(({ quals }) => quals);
  return [query['whereClause'], ...joins].flatMap(equalities);
}

function equalities(condition: unknown): [unknown, unknown][] {
  const { A_Expr, BoolExpr } = (condition ?? {}) as Record<string, Node>;
  if (BoolExpr?.['boolop'] === 'AND_EXPR') return (BoolExpr['args'] as unknown[]).flatMap(equalities);
  const isEqual = A_Expr?.['kind'] === 'AEXPR_OP' && strings(A_Expr['name']).includes('=');
  return isEqual ? [[A_Expr['lexpr'], A_Expr['rexpr']]] : [];
}

function columns(node: unknown): string[][] {
  return all(node, 'ColumnRef').map(({ fields }) => strings(fields));
}

function strings(list: unknown): string[] {
  return (list as { String?: { sval: string } }[]).map((one) => one.String?.sval ?? '*');
}

function tablesOf(node: unknown): Table[] {
  const targets = changedTables(node);
  // A lock names tables by their names in the query.
  const read = collect(node, 'RangeVar', (key) => key !== 'lockingClause');
  return [...read, ...targets].map(asTable);
}

// The grammar has the target of a change without the name of its kind.
function changedTables(node: unknown): Node[] {
  return ['InsertStmt', 'UpdateStmt', 'DeleteStmt'].flatMap((kind) =>
    all(node, kind).map(({ relation }) => relation as Node),
  );
}

/** All nodes of a kind within a node. */
function all(node: unknown, kind: string): Node[] {
  return collect(node, kind, () => true);
}

/** All nodes of a kind within a node, without those in its subqueries. */
function own(node: unknown, kind: string): Node[] {
  return collect(node, kind, (key, value) => !isQuery(key, value));
}

function collect(node: unknown, kind: string, enters: (key: string, value: unknown) => boolean): Node[] {
  if (typeof node !== 'object' || node === null) return [];
  return Object.entries(node).flatMap(([key, value]) => {
    const within = enters(key, value) ? collect(value, kind, enters) : [];
    return key === kind ? [value as Node, ...within] : within;
  });
}
