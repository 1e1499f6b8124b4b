-- When people work: the hours of a week in a time zone, and the days on which nobody does.
create table calendars (
  id bigint generated always as identity primary key,
  tenant_id bigint not null references tenants (id),
  name text not null,
  time_zone text not null,
  hours json not null,
  holidays json not null,
  version int not null default 0,
  created_by bigint not null,
  created_on timestamptz not null,
  updated_by bigint not null,
  updated_on timestamptz not null,
  constraint calendars_name_unique unique (tenant_id, name)
);

-- What is promised of a queue and what an hour of people costs, and beside it how the promise looked last. A row without a promise is about the
-- cost alone.
create table queue_levels (
  queue_id bigint primary key references queues (id) on delete cascade,
  calendar_id bigint references calendars (id),
  longest_wait_minutes int,
  due_time text,
  cut_off text,
  warn_minutes int not null,
  hourly_cost double precision,
  currency text,
  version int not null default 0,
  updated_by bigint not null,
  updated_on timestamptz not null,
  state text not null default 'KEPT' constraint queue_levels_state check (state in ('KEPT', 'AT_RISK', 'BROKEN')),
  state_on timestamptz not null,
  -- Since when a promise that is told to be at risk or broken looks kept.
  calm_since timestamptz,
  -- None before the first look.
  looked_on timestamptz,
  forecast json,
  constraint queue_levels_promise check (longest_wait_minutes is null or due_time is null),
  constraint queue_levels_cut_off check ((due_time is null) = (cut_off is null)),
  constraint queue_levels_cost check ((hourly_cost is null) = (currency is null))
) with (fillfactor = 50);
create index queue_levels_looked on queue_levels (looked_on nulls first)
  where longest_wait_minutes is not null or due_time is not null;
create index queue_levels_calendar on queue_levels (calendar_id);

-- What was saved in the last thirty days, as it was last added up.
create table queue_savings (
  queue_id bigint primary key references queues (id) on delete cascade,
  added_up_on timestamptz not null,
  savings json not null
) with (fillfactor = 50);

-- The acts of people on single items, which take their time.
create index events_repairs on events (queue_id, at) where
  operation in ('restartWorkItem', 'releaseWorkItem', 'resolveWorkItem', 'cancelWorkItem', 'deleteWorkItem')
  or operation = 'updateWorkItem' and from_status <> 'IN_PROGRESS' and to_status <> 'IN_PROGRESS';
