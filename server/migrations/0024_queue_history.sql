-- How many items came in is counted as well: the statuses do not tell, as items come back to them.
alter table queue_tallies add arrived int not null default 0;

-- What became of a queue: by minutes while that is recent, later by hours, then by days. A span has what it changed of the counts,
-- so that the counts at its end are those of now less what came later; where nothing happened, there is none.
create table queue_history (
  queue_id bigint not null,
  seconds int not null constraint queue_history_seconds check (seconds in (60, 3600, 86400)),
  -- When the span began.
  at timestamptz not null,
  arrived bigint not null,
  new bigint not null,
  in_progress bigint not null,
  complete bigint not null,
  failed bigint not null,
  deferred bigint not null,
  finished_complete bigint not null,
  finished_failed bigint not null,
  handling_ms bigint not null,
  primary key (queue_id, seconds, at)
);
create index queue_history_age on queue_history (seconds, at);
