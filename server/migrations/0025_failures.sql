-- What failures of one cause have in common. Null while an item has not failed, and of failures of former days until a job has written it.
alter table work_items add column error_signature text;
-- The remedy by which the item was restarted the last time.
alter table work_items add column remedy_id bigint;

-- Of failed items only: clusters are told from the index alone, whatever else the queue has.
create index work_items_failures on work_items (queue_id, error_signature, failure_kind, ended_on, id) where status = 'FAILED';
create index work_items_unsigned on work_items (queue_id, id) where status = 'FAILED' and error_signature is null;
create index work_items_remedied on work_items (queue_id, remedy_id, status, error_signature) where remedy_id is not null;

-- Many items of a cluster that were restarted at once: by one bulk action, or in one call with their corrections.
create table remedies (
  queue_id bigint not null references queues on delete cascade,
  id bigint generated always as identity,
  error_signature text not null,
  failure_kind text not null,
  batch_id bigint not null,
  restarted int not null,
  created_by bigint not null,
  created_on timestamptz not null,
  primary key (queue_id, id),
  constraint remedies_batch unique (queue_id, batch_id, error_signature, failure_kind)
);
create index remedies_cluster on remedies (queue_id, error_signature, failure_kind, id);

-- What people have noted about a cluster.
create table failure_notes (
  queue_id bigint not null references queues on delete cascade,
  error_signature text not null,
  failure_kind text not null,
  note text not null,
  updated_by bigint not null,
  updated_on timestamptz not null,
  primary key (queue_id, error_signature, failure_kind)
);

-- Corrections of many items are listed by their batch, as bulk actions are.
drop index events_bulk;
create index events_bulk on events (queue_id, batch_id, item_id)
  where batch_id is not null and operation in ('updateWorkItemStatus', 'updateWorkItems');
