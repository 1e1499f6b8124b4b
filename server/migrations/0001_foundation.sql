-- Tenants, people and what they may do.

create table tenants (
  id bigint generated always as identity primary key,
  uuid uuid not null default gen_random_uuid() unique,
  name text not null constraint tenants_name_unique unique
);

create table users (
  id bigint generated always as identity primary key,
  tenant_id bigint not null references tenants,
  username text not null,
  password_hash text,
  email text not null default '',
  first_name text not null default '',
  last_name text not null default '',
  description text not null default '',
  disabled boolean not null default false,
  version int not null default 0,
  created_by bigint not null,
  created_on timestamptz not null,
  updated_by bigint not null,
  updated_on timestamptz not null
);
-- A login names no tenant, so a user name is unique in the server.
create unique index users_username_unique on users (lower(username));
create index users_tenant on users (tenant_id, id);

create table roles (
  id bigint generated always as identity primary key,
  tenant_id bigint not null references tenants,
  name text not null,
  description text not null default '',
  permissions text[] not null,
  version int not null default 0,
  created_by bigint not null,
  created_on timestamptz not null,
  updated_by bigint not null,
  updated_on timestamptz not null,
  constraint roles_name_unique unique (tenant_id, name)
);

create table user_roles (
  user_id bigint not null references users on delete cascade,
  role_id bigint not null references roles,
  primary key (user_id, role_id)
);
create index user_roles_role on user_roles (role_id);

create table api_keys (
  id bigint generated always as identity primary key,
  user_id bigint not null references users on delete cascade,
  name text not null default '',
  hash bytea not null unique,
  expires_on timestamptz,
  created_by bigint not null,
  created_on timestamptz not null
);
create index api_keys_user on api_keys (user_id);

-- Wrong passwords in a row by user name, whether a user has it or not: what slows guessing down must not tell which
-- names exist. A hash of the name in lower case, because people type passwords into the wrong field.
create table login_failures (
  name_hash bytea primary key,
  failures int not null,
  last_on timestamptz not null
);

-- PEM, the private key in the clear, so that all servers of an installation can sign without another secret. Whoever
-- can read this table, or a backup of it, can make tokens for every user until the key is rotated.
create table signing_keys (
  id text primary key,
  private_key text not null,
  public_key text not null,
  created_on timestamptz not null
);

create table revoked_tokens (
  id text primary key,
  expires_on timestamptz not null
);

-- Models and queues: small tables that every item statement may rely on.

create table work_item_models (
  id bigint generated always as identity primary key,
  tenant_id bigint not null references tenants,
  name text not null,
  version int not null default 0,
  created_by bigint not null,
  created_on timestamptz not null,
  updated_by bigint not null,
  updated_on timestamptz not null,
  constraint work_item_models_name_unique unique (tenant_id, name)
);

create table work_item_attributes (
  id bigint generated always as identity primary key,
  model_id bigint not null references work_item_models on delete cascade,
  position int not null,
  name text not null,
  type text not null constraint work_item_attributes_type check (type in ('TEXT', 'NUMBER', 'DATE', 'BOOLEAN')),
  is_required boolean not null,
  unique (model_id, position),
  unique (model_id, name)
);

create table queues (
  id bigint generated always as identity primary key,
  tenant_id bigint not null references tenants,
  model_id bigint not null references work_item_models,
  name text not null,
  description text not null default '',
  status text not null default 'ACTIVE' constraint queues_status check (status in ('ACTIVE', 'INACTIVE')),
  reactivation_threshold int not null default 1,
  reactivation_unit text not null default 'PERCENT'
    constraint queues_reactivation_unit check (reactivation_unit in ('PERCENT', 'COUNT')),
  manual_processing_time int,
  manual_processing_time_unit text,
  disallow_duplicate boolean not null default false,
  auto_retry_limit int not null default 0 constraint queues_auto_retry_limit check (auto_retry_limit between 0 and 10),
  processing_orders text[] not null default '{}',
  display_columns text[] not null,
  expiry json,
  version int not null default 0,
  created_by bigint not null,
  created_on timestamptz not null,
  updated_by bigint not null,
  updated_on timestamptz not null,
  constraint queues_name_unique unique (tenant_id, name)
);

create table queue_members (
  queue_id bigint not null references queues on delete cascade,
  user_id bigint not null references users,
  role text not null constraint queue_members_role check (role in ('OWNER', 'MEMBER', 'PARTICIPANT')),
  primary key (queue_id, user_id)
);
create index queue_members_user on queue_members (user_id, queue_id);

create table queue_consumers (
  queue_id bigint not null references queues on delete cascade,
  role_id bigint not null references roles,
  primary key (queue_id, role_id)
);
create index queue_consumers_role on queue_consumers (role_id, queue_id);

-- Items. queue_id leads every key, so that a queue can live on any shard. No foreign keys to queues: each transaction
-- that writes items holds the queue's row against deletion, once, instead of once an item.

create table work_items (
  queue_id bigint not null,
  id bigint generated always as identity,
  status text not null
    constraint work_items_status check (status in ('NEW', 'IN_PROGRESS', 'COMPLETE', 'FAILED', 'DEFERRED')),
  -- Priority, values of the processing order, time of arrival: what bytea comparison sorts is the order of claims.
  sort_key bytea not null,
  priority smallint not null,
  version int not null default 0,
  retry_count smallint not null default 0,
  -- NEW: not granted before; DEFERRED: until then, for ever when null.
  not_before timestamptz,
  expires_on timestamptz,
  -- The last holder stays on record after the lease.
  claimed_by bigint,
  device_id bigint,
  lease_expires_on timestamptz,
  started_on timestamptz,
  ended_on timestamptz,
  result text constraint work_items_result check (result in ('SUCCESS', 'FAILURE')),
  failure_kind text constraint work_items_failure_kind
    check (failure_kind in ('BUSINESS', 'SYSTEM', 'DATA_ERROR', 'EXPIRED', 'IN_DOUBT')),
  -- The last report that was accepted, to recognise its repetition.
  reported_by bigint,
  reported_version int,
  reported_status text,
  created_by bigint not null,
  created_on timestamptz not null,
  updated_by bigint not null,
  updated_on timestamptz not null,
  -- Empty while an item waits and runs, so that its row stays narrow while it is hot.
  progress json,
  output json,
  comment text,
  error text,
  primary key (queue_id, id),
  constraint work_items_lease check ((status = 'IN_PROGRESS') = (lease_expires_on is not null)),
  constraint work_items_outcome check (
    (status = 'COMPLETE') = (result is not distinct from 'SUCCESS')
    and (status = 'FAILED') = (result is not distinct from 'FAILURE')
    and (status = 'FAILED') = (failure_kind is not null)
  )
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500,
  autovacuum_vacuum_cost_delay = 0, vacuum_truncate = off);
create index work_items_ready on work_items (queue_id, sort_key, id) where status = 'NEW' and not_before is null;
create index work_items_running on work_items (queue_id, id) where status = 'IN_PROGRESS';
create index work_items_due on work_items (not_before) where not_before is not null;
create index work_items_expiring on work_items (expires_on) where expires_on is not null and status in ('NEW', 'DEFERRED');

-- What was sent, as it was sent: json, not jsonb, keeps the spelling of numbers and the order of the members.
create table work_item_data (
  queue_id bigint not null,
  item_id bigint not null,
  json json not null,
  primary key (queue_id, item_id)
) with (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);

create table work_item_hashes (
  queue_id bigint not null,
  hash bytea not null,
  item_id bigint not null,
  primary key (queue_id, hash)
);
create index work_item_hashes_item on work_item_hashes (queue_id, item_id);

-- Counts of a queue as differences: each transaction appends what it changed, a job adds the rows up.
create table queue_tallies (
  queue_id bigint not null,
  id bigint generated always as identity,
  minute timestamptz not null,
  new int not null,
  in_progress int not null,
  complete int not null,
  failed int not null,
  deferred int not null,
  finished_complete int not null,
  finished_failed int not null,
  handling_ms bigint not null,
  primary key (queue_id, id)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_cost_delay = 0);

-- Everything that happened, in the transaction in which it happened. Never updated.
create table events (
  queue_id bigint not null,
  item_id bigint not null,
  id bigint generated always as identity,
  operation text not null,
  actor_id bigint not null,
  device_id bigint,
  from_status text,
  to_status text,
  reason text,
  changes json,
  at timestamptz not null,
  primary key (queue_id, item_id, id)
) with (autovacuum_vacuum_insert_scale_factor = 0.05);
