-- Display columns that a queue has indexed: lists find and order items by them without reading records.
alter table queues add indexed_columns text[] not null default '{}';
-- The values of such columns, one row an item and column, also where there is none. Each is in the index of its type only.
create table work_item_values (
  queue_id bigint not null,
  item_id bigint not null,
  -- By its id, as names change.
  attribute bigint not null,
  -- The beginning: an index takes no text of any length.
  text text,
  number numeric,
  at timestamptz,
  primary key (queue_id, item_id, attribute)
);
create index work_item_values_text on work_item_values (queue_id, attribute, text, item_id) where text is not null;
create index work_item_values_number on work_item_values (queue_id, attribute, number, item_id) where number is not null;
create index work_item_values_at on work_item_values (queue_id, attribute, at, item_id) where at is not null;
create index work_item_values_unset on work_item_values (queue_id, attribute, item_id)
  where text is null and number is null and at is null;
