import pg from 'pg';

interface Row {
  readonly text: string;
}

/** The schema of a database as text: tables with their columns, constraints, settings and indexes, by name. */
export async function dumpSchema(connection: pg.ClientConfig): Promise<string> {
  const client = new pg.Client(connection);
  await client.connect();
  try {
    const { rows } = await client.query<Row>(tables);
    return `-- What the migrations make. Written by \`npm run schema\`; do not edit.\n\n${rows.map(({ text }) => text).join('\n\n')}\n`;
  } finally {
    await client.end();
  }
}

// pg_dump is not part of the embedded PostgreSQL; the catalogue has the same facts.
const tables = `
  with columns as (
    select attrelid, string_agg(format('  %I %s%s%s%s', attname, format_type(atttypid, atttypmod),
        case when attnotnull then ' not null' else '' end,
        case attidentity when 'a' then ' generated always as identity' else '' end,
        coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')), E',\\n' order by attnum) as text
    from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where attnum > 0 and not attisdropped group by attrelid),
  constraints as (
    select conrelid, string_agg(format(E',\\n  constraint %I %s', conname, pg_get_constraintdef(oid)), ''
      order by contype, conname) as text
    from pg_constraint where contype <> 'n' group by conrelid),
  indexes as (
    select indrelid, string_agg(E'\\n' || pg_get_indexdef(indexrelid) || ';', '' order by indexrelid::regclass::text) as text
    from pg_index where not indisprimary
      and not exists (select from pg_constraint c where c.conindid = indexrelid and c.contype = 'u')
    group by indrelid)
  select format(E'create table %I (\\n%s%s\\n)%s;%s', relname, columns.text, constraints.text,
    ' with (' || array_to_string(reloptions, ', ') || ')', replace(indexes.text, 'public.', '')) as text
  from pg_class t join columns on columns.attrelid = t.oid
    left join constraints on constraints.conrelid = t.oid left join indexes on indexes.indrelid = t.oid
  where relkind = 'r' and relnamespace = 'public'::regnamespace order by relname`;
