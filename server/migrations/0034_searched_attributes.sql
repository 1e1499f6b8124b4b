-- Attributes of a queue by parts of whose values lists find items.
alter table queues add searched_attributes text[] not null default '{}';
-- The values of these, one row an item. Claims and reports do not touch it. Its index by trigrams is made where the database has them.
create table work_item_texts (
  queue_id bigint not null,
  item_id bigint not null,
  -- None where it is too long for the index: such an item is looked at in every search.
  text text,
  primary key (queue_id, item_id)
);
create index work_item_texts_long on work_item_texts (queue_id, item_id) where text is null;
