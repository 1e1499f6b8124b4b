-- Batches: items that came in together, or were changed by one bulk action.
create table batches (
  queue_id bigint not null references queues on delete cascade,
  id bigint generated always as identity,
  name text not null,
  source text not null constraint batches_source check (source in ('CALLER', 'UPLOAD', 'BULK')),
  -- Control totals: how many items its sender says there are, and sums of attributes by name.
  expected_items bigint,
  expected_sums json,
  -- Without the differences that were not added yet.
  received bigint not null default 0,
  done bigint not null default 0,
  failed bigint not null default 0,
  withdrawn bigint not null default 0,
  sums json,
  -- No more items come.
  closed_on timestamptz,
  completed_on timestamptz,
  created_by bigint not null,
  created_on timestamptz not null,
  primary key (queue_id, id)
) with (fillfactor = 50);

-- How the counts of batches have changed: appended by each change, so that nobody waits for the row of a batch, and added up by a job.
create table batch_tallies (
  queue_id bigint not null,
  batch_id bigint not null,
  id bigint generated always as identity,
  received int not null,
  done int not null,
  failed int not null,
  withdrawn int not null,
  sums json,
  -- The event that a batch is complete comes behind what completed it.
  tx xid8 not null default pg_current_xact_id(),
  primary key (queue_id, batch_id, id)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);

-- The batch that an item came with; bulk actions that changed it stand with its events.
alter table work_items add column batch_id bigint;
create index work_items_batch on work_items (queue_id, batch_id, status, id) where batch_id is not null;

alter table events add column batch_id bigint;
create index events_bulk on events (queue_id, batch_id, item_id)
  where batch_id is not null and operation = 'updateWorkItemStatus';
