-- The whole life of an item: point of no return, cancellation, doubt, back-off, results and tags; and by what items are duplicates.
-- Columns that few items use are null in all others, which costs their rows nothing.

alter table work_items
  -- While the item is in progress, and as evidence while nobody knows whether it was done.
  add column point_of_no_return_on timestamptz,
  add column cancel_requested_on timestamptz,
  add column cancel_requested_by bigint,
  add column cancel_reason text,
  -- What sent the item to its device, and on whose account it ran: of the last attempt.
  add column automation_id bigint,
  add column run_as_user_id bigint,
  -- Of the model, when the item was last written.
  add column model_version int,
  -- What older dialects call the result: free text.
  add column result_text text constraint work_items_result_text check (length(result_text) <= 1000),
  add column tags text[] constraint work_items_tags check (cardinality(tags) between 1 and 50),
  add constraint work_items_point_of_no_return check (
    case when failure_kind = 'IN_DOUBT' then point_of_no_return_on is not null
      else point_of_no_return_on is null or status = 'IN_PROGRESS' end
  ),
  add constraint work_items_cancellation check (
    (cancel_requested_on is null or status = 'IN_PROGRESS')
    and (cancel_requested_on is null) = (cancel_requested_by is null)
    and (cancel_reason is null or cancel_requested_on is not null)
  );

-- The newest output of the bot that works, or worked last, on an item. Apart from the item: it is written while that is hot.
create table work_item_logs (
  queue_id bigint not null,
  item_id bigint not null,
  tail text not null constraint work_item_logs_tail check (length(tail) <= 16384),
  updated_on timestamptz not null,
  primary key (queue_id, item_id)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500,
  autovacuum_vacuum_cost_delay = 0);

alter table queues add column retry_back_off json;

-- Which attributes make two items duplicates (none named: all), and whether those that are done still count.
alter table queues
  add unique_by text[] not null default '{}',
  add duplicate_scope text not null default 'ALL'
    constraint queues_duplicate_scope check (duplicate_scope in ('ALL', 'OPEN'));
