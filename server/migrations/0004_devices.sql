-- Devices, the pools that they stand in, and the automations that send them the work of a queue.

create table devices (
  id bigint generated always as identity primary key,
  tenant_id bigint not null references tenants,
  -- Whose key it registered with: nobody else speaks for it.
  user_id bigint not null references users,
  host_name text not null,
  nickname text not null,
  labels text[] not null,
  bots text[] not null,
  slots int not null constraint devices_slots check (slots between 1 and 1000),
  agent_version text not null,
  state text not null default 'ACTIVE'
    constraint devices_state check (state in ('ACTIVE', 'DRAINING', 'QUARANTINED')),
  state_reason text,
  state_by bigint,
  state_on timestamptz,
  -- Written with every sign of life, so no index may name it: the row is changed in place, beside the old one.
  last_seen_on timestamptz not null,
  is_connected boolean not null,
  version int not null default 0,
  created_by bigint not null,
  created_on timestamptz not null,
  updated_by bigint not null,
  updated_on timestamptz not null
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500);
create unique index devices_host_name_unique on devices (tenant_id, lower(host_name));
create index devices_tenant on devices (tenant_id, id);
create index devices_user on devices (user_id);
create index devices_connected on devices (id) where is_connected;

create table pools (
  id bigint generated always as identity primary key,
  tenant_id bigint not null references tenants,
  name text not null,
  description text not null,
  scheme text not null constraint pools_scheme check (scheme in ('ROUND_ROBIN', 'PRIORITY', 'FAIR')),
  time_slice_seconds int not null constraint pools_time_slice_seconds check (time_slice_seconds between 1 and 86400),
  -- Where the scheme is: the automation whose slice it is and since when, and when work was last granted.
  current_automation_id bigint,
  slice_started_on timestamptz,
  last_granted_on timestamptz,
  version int not null default 0,
  created_by bigint not null,
  created_on timestamptz not null,
  updated_by bigint not null,
  updated_on timestamptz not null,
  constraint pools_name_unique unique (tenant_id, name)
) with (fillfactor = 50);

create table pool_devices (
  pool_id bigint not null references pools on delete cascade,
  device_id bigint not null references devices on delete cascade,
  primary key (pool_id, device_id)
);
create index pool_devices_device on pool_devices (device_id, pool_id);

create table pool_owners (
  pool_id bigint not null references pools on delete cascade,
  user_id bigint not null references users,
  primary key (pool_id, user_id)
);
create index pool_owners_user on pool_owners (user_id, pool_id);

create table pool_consumers (
  pool_id bigint not null references pools on delete cascade,
  role_id bigint not null references roles,
  primary key (pool_id, role_id)
);
create index pool_consumers_role on pool_consumers (role_id, pool_id);

create table automations (
  id bigint generated always as identity primary key,
  tenant_id bigint not null references tenants,
  name text not null,
  description text not null,
  queue_id bigint not null references queues,
  pool_id bigint not null references pools,
  bot_name text not null,
  -- A device must have them all.
  labels text[] not null,
  priority int not null constraint automations_priority check (priority between 0 and 9),
  weight int not null constraint automations_weight check (weight between 1 and 100),
  status text not null constraint automations_status check (status in ('ACTIVE', 'PAUSED', 'STOPPED')),
  status_reason text,
  status_by bigint,
  status_on timestamptz,
  -- Work granted so far, divided by the weight: with FAIR, the automation that is behind comes first.
  virtual_time double precision not null default 0,
  version int not null default 0,
  created_by bigint not null,
  created_on timestamptz not null,
  updated_by bigint not null,
  updated_on timestamptz not null,
  constraint automations_name_unique unique (tenant_id, name)
) with (fillfactor = 50);
create unique index automations_one_active on automations (queue_id) where status = 'ACTIVE';
create index automations_queue on automations (queue_id);
create index automations_pool on automations (pool_id);
alter table pools add constraint pools_current_automation
  foreign key (current_automation_id) references automations on delete set null;

create table automation_run_as_users (
  automation_id bigint not null references automations on delete cascade,
  user_id bigint not null references users,
  primary key (automation_id, user_id)
);
create index automation_run_as_users_user on automation_run_as_users (user_id);

-- One row for each item in progress on a device, gone when the item leaves IN_PROGRESS. No foreign keys, as with items.
create table runs (
  queue_id bigint not null,
  item_id bigint not null,
  device_id bigint not null,
  automation_id bigint not null,
  run_as_user_id bigint,
  started_on timestamptz not null,
  primary key (queue_id, item_id)
) with (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);
create index runs_device on runs (device_id);
create index runs_automation on runs (automation_id);
-- A run-as user is logged on once: another item that needs the user waits.
create unique index runs_run_as_user_unique on runs (run_as_user_id) where run_as_user_id is not null;
