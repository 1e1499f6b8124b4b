-- What the migrations make. Written by `npm run schema`; do not edit.

create table api_keys (
  id bigint not null generated always as identity,
  user_id bigint not null,
  name text not null default ''::text,
  hash bytea not null,
  expires_on timestamp with time zone,
  created_by bigint not null,
  created_on timestamp with time zone not null,
  permissions text[],
  queue_ids bigint[],
  prefix text,
  last_used_on timestamp with time zone,
  replaces bigint,
  constraint api_keys_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
  constraint api_keys_pkey PRIMARY KEY (id),
  constraint api_keys_hash_key UNIQUE (hash)
);
CREATE INDEX api_keys_user ON api_keys USING btree (user_id);

create table audit_chains (
  tenant_id bigint not null,
  number bigint not null,
  head bytea not null,
  tx xid8 not null,
  event_id bigint not null,
  moved_through bigint not null default 0,
  constraint audit_chains_pkey PRIMARY KEY (tenant_id)
);

create table audit_erasures (
  tenant_id bigint not null,
  erased_by bigint not null,
  event_id bigint not null,
  hash bytea,
  before bytea,
  key_id text,
  signature bytea,
  of_former_kind boolean not null default false,
  constraint audit_erasures_pkey PRIMARY KEY (tenant_id, erased_by, event_id)
);
CREATE INDEX audit_erasures_event ON audit_erasures USING btree (tenant_id, event_id);
CREATE INDEX audit_erasures_unsigned ON audit_erasures USING btree (tenant_id, erased_by) WHERE (of_former_kind AND (signature IS NULL));

create table audit_seals (
  tenant_id bigint not null,
  number bigint not null,
  first_tx xid8 not null,
  first_id bigint not null,
  last_tx xid8 not null,
  last_id bigint not null,
  events integer not null,
  root bytea not null,
  previous bytea not null,
  sealed_on timestamp with time zone not null,
  key_id text not null,
  signature bytea not null,
  event_ids bigint[] not null,
  event_hashes bytea not null,
  lowest_id bigint not null,
  highest_id bigint not null,
  constraint audit_seals_pkey PRIMARY KEY (tenant_id, number)
);

create table automation_run_as_users (
  automation_id bigint not null,
  user_id bigint not null,
  constraint automation_run_as_users_automation_id_fkey FOREIGN KEY (automation_id) REFERENCES automations(id) ON DELETE CASCADE,
  constraint automation_run_as_users_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id),
  constraint automation_run_as_users_pkey PRIMARY KEY (automation_id, user_id)
);
CREATE INDEX automation_run_as_users_user ON automation_run_as_users USING btree (user_id);

create table automations (
  id bigint not null generated always as identity,
  tenant_id bigint not null,
  name text not null,
  description text not null,
  queue_id bigint not null,
  pool_id bigint not null,
  bot_name text not null,
  labels text[] not null,
  priority integer not null,
  weight integer not null,
  status text not null,
  status_reason text,
  status_by bigint,
  status_on timestamp with time zone,
  virtual_time double precision not null default 0,
  version integer not null default 0,
  created_by bigint not null,
  created_on timestamp with time zone not null,
  updated_by bigint not null,
  updated_on timestamp with time zone not null,
  constraint automations_priority CHECK (((priority >= 0) AND (priority <= 9))),
  constraint automations_status CHECK ((status = ANY (ARRAY['ACTIVE'::text, 'PAUSED'::text, 'STOPPED'::text]))),
  constraint automations_weight CHECK (((weight >= 1) AND (weight <= 100))),
  constraint automations_pool_id_fkey FOREIGN KEY (pool_id) REFERENCES pools(id),
  constraint automations_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES queues(id),
  constraint automations_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id),
  constraint automations_pkey PRIMARY KEY (id),
  constraint automations_name_unique UNIQUE (tenant_id, name)
) with (fillfactor=50);
CREATE UNIQUE INDEX automations_one_active ON automations USING btree (queue_id) WHERE (status = 'ACTIVE'::text);
CREATE INDEX automations_pool ON automations USING btree (pool_id);
CREATE INDEX automations_queue ON automations USING btree (queue_id);

create table batch_tallies (
  queue_id bigint not null,
  batch_id bigint not null,
  id bigint not null generated always as identity,
  received integer not null,
  done integer not null,
  failed integer not null,
  withdrawn integer not null,
  sums json,
  tx xid8 not null default pg_current_xact_id(),
  constraint batch_tallies_pkey PRIMARY KEY (queue_id, batch_id, id)
) with (autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=500, autovacuum_vacuum_cost_delay=0);

create table batches (
  queue_id bigint not null,
  id bigint not null generated always as identity,
  name text not null,
  source text not null,
  expected_items bigint,
  expected_sums json,
  received bigint not null default 0,
  done bigint not null default 0,
  failed bigint not null default 0,
  withdrawn bigint not null default 0,
  sums json,
  closed_on timestamp with time zone,
  completed_on timestamp with time zone,
  created_by bigint not null,
  created_on timestamp with time zone not null,
  watched_from bigint,
  constraint batches_source CHECK ((source = ANY (ARRAY['CALLER'::text, 'UPLOAD'::text, 'BULK'::text]))),
  constraint batches_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES queues(id) ON DELETE CASCADE,
  constraint batches_pkey PRIMARY KEY (queue_id, id)
) with (fillfactor=50);
CREATE INDEX batches_watched ON batches USING btree (queue_id, id) WHERE (watched_from IS NOT NULL);

create table browser_sessions (
  handle_hash bytea not null,
  session_id text not null,
  secret_hash bytea not null,
  former_hash bytea,
  nonce bytea,
  changed_on timestamp with time zone not null,
  constraint browser_sessions_session_id_fkey FOREIGN KEY (session_id) REFERENCES sessions(id) ON DELETE CASCADE,
  constraint browser_sessions_pkey PRIMARY KEY (handle_hash),
  constraint browser_sessions_session_id_key UNIQUE (session_id)
);

create table calendars (
  id bigint not null generated always as identity,
  tenant_id bigint not null,
  name text not null,
  time_zone text not null,
  hours json not null,
  holidays json not null,
  version integer not null default 0,
  created_by bigint not null,
  created_on timestamp with time zone not null,
  updated_by bigint not null,
  updated_on timestamp with time zone not null,
  constraint calendars_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id),
  constraint calendars_pkey PRIMARY KEY (id),
  constraint calendars_name_unique UNIQUE (tenant_id, name)
);

create table deleted_queues (
  id bigint not null,
  tenant_id bigint not null,
  model_id bigint not null,
  name text not null,
  attributes json not null,
  model_version integer not null,
  deleted_on timestamp with time zone not null,
  rekey_after bigint,
  constraint deleted_queues_pkey PRIMARY KEY (id)
);
CREATE INDEX deleted_queues_model ON deleted_queues USING btree (model_id);
CREATE INDEX deleted_queues_rekeying ON deleted_queues USING btree (id) WHERE (rekey_after IS NOT NULL);

create table devices (
  id bigint not null generated always as identity,
  tenant_id bigint not null,
  user_id bigint not null,
  host_name text not null,
  nickname text not null,
  labels text[] not null,
  bots text[] not null,
  slots integer not null,
  agent_version text not null,
  state text not null default 'ACTIVE'::text,
  state_reason text,
  state_by bigint,
  state_on timestamp with time zone,
  last_seen_on timestamp with time zone not null,
  is_connected boolean not null,
  version integer not null default 0,
  created_by bigint not null,
  created_on timestamp with time zone not null,
  updated_by bigint not null,
  updated_on timestamp with time zone not null,
  constraint devices_slots CHECK (((slots >= 1) AND (slots <= 1000))),
  constraint devices_state CHECK ((state = ANY (ARRAY['ACTIVE'::text, 'DRAINING'::text, 'QUARANTINED'::text]))),
  constraint devices_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id),
  constraint devices_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id),
  constraint devices_pkey PRIMARY KEY (id)
) with (fillfactor=50, autovacuum_vacuum_scale_factor=0.01, autovacuum_vacuum_threshold=500);
CREATE INDEX devices_connected ON devices USING btree (id) WHERE is_connected;
CREATE UNIQUE INDEX devices_host_name_unique ON devices USING btree (tenant_id, lower(host_name));
CREATE INDEX devices_tenant ON devices USING btree (tenant_id, id);
CREATE INDEX devices_user ON devices USING btree (user_id);

create table events (
  queue_id bigint not null,
  item_id bigint not null,
  id bigint not null generated always as identity,
  operation text not null,
  actor_id bigint not null,
  device_id bigint,
  from_status text,
  to_status text,
  reason text,
  changes json,
  at timestamp with time zone not null,
  tx xid8 not null default pg_current_xact_id(),
  tenant_id bigint not null,
  batch_id bigint,
  constraint events_pkey PRIMARY KEY (queue_id, item_id, id)
) with (autovacuum_vacuum_insert_scale_factor=0.05);
CREATE INDEX events_bulk ON events USING btree (queue_id, batch_id, item_id) WHERE ((batch_id IS NOT NULL) AND (operation = ANY (ARRAY['updateWorkItemStatus'::text, 'updateWorkItems'::text])));
CREATE INDEX events_feed ON events USING btree (tenant_id, tx, id);
CREATE INDEX events_repairs ON events USING btree (queue_id, at) WHERE ((operation = ANY (ARRAY['restartWorkItem'::text, 'releaseWorkItem'::text, 'resolveWorkItem'::text, 'cancelWorkItem'::text, 'deleteWorkItem'::text])) OR ((operation = 'updateWorkItem'::text) AND (from_status <> 'IN_PROGRESS'::text) AND (to_status <> 'IN_PROGRESS'::text)));

create table failure_notes (
  queue_id bigint not null,
  error_signature text not null,
  failure_kind text not null,
  note text not null,
  updated_by bigint not null,
  updated_on timestamp with time zone not null,
  constraint failure_notes_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES queues(id) ON DELETE CASCADE,
  constraint failure_notes_pkey PRIMARY KEY (queue_id, error_signature, failure_kind)
);

create table idempotency_keys (
  user_id bigint not null,
  key text not null,
  request_hash bytea not null,
  is_done boolean not null,
  answer json,
  created_on timestamp with time zone not null,
  part integer not null default 0,
  constraint idempotency_keys_key_check CHECK (((length(key) >= 1) AND (length(key) <= 255))),
  constraint idempotency_keys_part_check CHECK ((part >= 0)),
  constraint idempotency_keys_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
  constraint idempotency_keys_pkey PRIMARY KEY (user_id, key, part)
);
CREATE INDEX idempotency_keys_created ON idempotency_keys USING btree (created_on);

create table known_logins (
  subject_hash bytea not null,
  last_on timestamp with time zone not null,
  constraint known_logins_pkey PRIMARY KEY (subject_hash)
);

create table login_failures (
  subject_hash bytea not null,
  failures integer not null,
  last_on timestamp with time zone not null,
  unrecorded integer not null default 0,
  recorded_on timestamp with time zone,
  event jsonb,
  constraint login_failures_pkey PRIMARY KEY (subject_hash)
);
CREATE INDEX login_failures_unrecorded ON login_failures USING btree (recorded_on) WHERE (unrecorded > 0);

create table migrations (
  name text not null,
  checksum text not null,
  applied_on timestamp with time zone not null default now(),
  constraint migrations_pkey PRIMARY KEY (name)
);

create table pool_consumers (
  pool_id bigint not null,
  role_id bigint not null,
  constraint pool_consumers_pool_id_fkey FOREIGN KEY (pool_id) REFERENCES pools(id) ON DELETE CASCADE,
  constraint pool_consumers_role_id_fkey FOREIGN KEY (role_id) REFERENCES roles(id),
  constraint pool_consumers_pkey PRIMARY KEY (pool_id, role_id)
);
CREATE INDEX pool_consumers_role ON pool_consumers USING btree (role_id, pool_id);

create table pool_devices (
  pool_id bigint not null,
  device_id bigint not null,
  constraint pool_devices_device_id_fkey FOREIGN KEY (device_id) REFERENCES devices(id) ON DELETE CASCADE,
  constraint pool_devices_pool_id_fkey FOREIGN KEY (pool_id) REFERENCES pools(id) ON DELETE CASCADE,
  constraint pool_devices_pkey PRIMARY KEY (pool_id, device_id)
);
CREATE INDEX pool_devices_device ON pool_devices USING btree (device_id, pool_id);

create table pool_owners (
  pool_id bigint not null,
  user_id bigint not null,
  constraint pool_owners_pool_id_fkey FOREIGN KEY (pool_id) REFERENCES pools(id) ON DELETE CASCADE,
  constraint pool_owners_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id),
  constraint pool_owners_pkey PRIMARY KEY (pool_id, user_id)
);
CREATE INDEX pool_owners_user ON pool_owners USING btree (user_id, pool_id);

create table pools (
  id bigint not null generated always as identity,
  tenant_id bigint not null,
  name text not null,
  description text not null,
  scheme text not null,
  time_slice_seconds integer not null,
  current_automation_id bigint,
  slice_started_on timestamp with time zone,
  last_granted_on timestamp with time zone,
  version integer not null default 0,
  created_by bigint not null,
  created_on timestamp with time zone not null,
  updated_by bigint not null,
  updated_on timestamp with time zone not null,
  virtual_time double precision not null default 0,
  constraint pools_scheme CHECK ((scheme = ANY (ARRAY['ROUND_ROBIN'::text, 'PRIORITY'::text, 'FAIR'::text]))),
  constraint pools_time_slice_seconds CHECK (((time_slice_seconds >= 1) AND (time_slice_seconds <= 86400))),
  constraint pools_current_automation FOREIGN KEY (current_automation_id) REFERENCES automations(id) ON DELETE SET NULL,
  constraint pools_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id),
  constraint pools_pkey PRIMARY KEY (id),
  constraint pools_name_unique UNIQUE (tenant_id, name)
) with (fillfactor=50);

create table queue_claims (
  queue_id bigint not null,
  asked_on timestamp with time zone not null,
  constraint queue_claims_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES queues(id) ON DELETE CASCADE,
  constraint queue_claims_pkey PRIMARY KEY (queue_id)
) with (fillfactor=50);

create table queue_consumers (
  queue_id bigint not null,
  role_id bigint not null,
  constraint queue_consumers_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES queues(id) ON DELETE CASCADE,
  constraint queue_consumers_role_id_fkey FOREIGN KEY (role_id) REFERENCES roles(id),
  constraint queue_consumers_pkey PRIMARY KEY (queue_id, role_id)
);
CREATE INDEX queue_consumers_role ON queue_consumers USING btree (role_id, queue_id);

create table queue_history (
  queue_id bigint not null,
  seconds integer not null,
  at timestamp with time zone not null,
  arrived bigint not null,
  new bigint not null,
  in_progress bigint not null,
  complete bigint not null,
  failed bigint not null,
  deferred bigint not null,
  finished_complete bigint not null,
  finished_failed bigint not null,
  handling_ms bigint not null,
  handling_times json,
  oldest_wait_ms bigint,
  constraint queue_history_seconds CHECK ((seconds = ANY (ARRAY[60, 3600, 86400]))),
  constraint queue_history_pkey PRIMARY KEY (queue_id, seconds, at)
);
CREATE INDEX queue_history_age ON queue_history USING btree (seconds, at);

create table queue_levels (
  queue_id bigint not null,
  calendar_id bigint,
  longest_wait_minutes integer,
  due_time text,
  cut_off text,
  warn_minutes integer not null,
  hourly_cost double precision,
  currency text,
  version integer not null default 1,
  updated_by bigint not null,
  updated_on timestamp with time zone not null,
  state text not null default 'KEPT'::text,
  state_on timestamp with time zone not null,
  calm_since timestamp with time zone,
  looked_on timestamp with time zone,
  forecast json,
  constraint queue_levels_cost CHECK (((hourly_cost IS NULL) = (currency IS NULL))),
  constraint queue_levels_cut_off CHECK (((due_time IS NULL) = (cut_off IS NULL))),
  constraint queue_levels_promise CHECK (((longest_wait_minutes IS NULL) OR (due_time IS NULL))),
  constraint queue_levels_state CHECK ((state = ANY (ARRAY['KEPT'::text, 'AT_RISK'::text, 'BROKEN'::text]))),
  constraint queue_levels_calendar_id_fkey FOREIGN KEY (calendar_id) REFERENCES calendars(id),
  constraint queue_levels_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES queues(id) ON DELETE CASCADE,
  constraint queue_levels_pkey PRIMARY KEY (queue_id)
) with (fillfactor=50);
CREATE INDEX queue_levels_calendar ON queue_levels USING btree (calendar_id);
CREATE INDEX queue_levels_looked ON queue_levels USING btree (looked_on NULLS FIRST) WHERE ((longest_wait_minutes IS NOT NULL) OR (due_time IS NOT NULL));

create table queue_members (
  queue_id bigint not null,
  user_id bigint not null,
  role text not null,
  constraint queue_members_role CHECK ((role = ANY (ARRAY['OWNER'::text, 'MEMBER'::text, 'PARTICIPANT'::text]))),
  constraint queue_members_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES queues(id) ON DELETE CASCADE,
  constraint queue_members_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id),
  constraint queue_members_pkey PRIMARY KEY (queue_id, user_id)
);
CREATE INDEX queue_members_user ON queue_members USING btree (user_id, queue_id);

create table queue_passes (
  queue_id bigint not null,
  started integer not null,
  constraint queue_passes_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES queues(id) ON DELETE CASCADE,
  constraint queue_passes_pkey PRIMARY KEY (queue_id)
) with (fillfactor=50);

create table queue_savings (
  queue_id bigint not null,
  added_up_on timestamp with time zone not null,
  savings json not null,
  constraint queue_savings_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES queues(id) ON DELETE CASCADE,
  constraint queue_savings_pkey PRIMARY KEY (queue_id)
) with (fillfactor=50);

create table queue_tallies (
  queue_id bigint not null,
  id bigint not null generated always as identity,
  minute timestamp with time zone not null,
  new integer not null,
  in_progress integer not null,
  complete integer not null,
  failed integer not null,
  deferred integer not null,
  finished_complete integer not null,
  finished_failed integer not null,
  handling_ms bigint not null,
  in_back_off integer not null default 0,
  in_doubt integer not null default 0,
  arrived integer not null default 0,
  handling_times json,
  oldest_wait_ms bigint,
  constraint queue_tallies_pkey PRIMARY KEY (queue_id, id)
) with (autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=500, autovacuum_vacuum_cost_delay=0);

create table queues (
  id bigint not null generated always as identity,
  tenant_id bigint not null,
  model_id bigint not null,
  name text not null,
  description text not null default ''::text,
  status text not null default 'ACTIVE'::text,
  reactivation_threshold integer not null default 1,
  reactivation_unit text not null default 'PERCENT'::text,
  manual_processing_time integer,
  manual_processing_time_unit text,
  disallow_duplicate boolean not null default false,
  auto_retry_limit integer not null default 0,
  processing_orders text[] not null default '{}'::text[],
  display_columns text[] not null,
  expiry json,
  version integer not null default 0,
  created_by bigint not null,
  created_on timestamp with time zone not null,
  updated_by bigint not null,
  updated_on timestamp with time zone not null,
  retry_back_off json,
  unique_by text[] not null default '{}'::text[],
  duplicate_scope text not null default 'ALL'::text,
  paused_by bigint,
  paused_on timestamp with time zone,
  pause_reason text,
  paused_until timestamp with time zone,
  archived_on timestamp with time zone,
  rekey_after bigint,
  rekey_horizon xid8,
  rekey_until bigint,
  renews_expiry boolean not null default false,
  model_version integer not null default 0,
  names_since integer not null default 0,
  attributes json not null default '[]'::json,
  lapse_limit smallint not null default 5,
  indexed_columns text[] not null default '{}'::text[],
  forgets_rows boolean not null default false,
  intake_format json,
  searched_attributes text[] not null default '{}'::text[],
  constraint queues_archive CHECK (((archived_on IS NULL) OR ((status = 'INACTIVE'::text) AND (paused_until IS NULL)))),
  constraint queues_auto_retry_limit CHECK (((auto_retry_limit >= 0) AND (auto_retry_limit <= 10))),
  constraint queues_duplicate_scope CHECK ((duplicate_scope = ANY (ARRAY['ALL'::text, 'OPEN'::text]))),
  constraint queues_lapse_limit CHECK (((lapse_limit >= 0) AND (lapse_limit <= 100))),
  constraint queues_pause CHECK ((((status = 'INACTIVE'::text) = (paused_on IS NOT NULL)) AND ((paused_on IS NULL) = (paused_by IS NULL)) AND ((paused_on IS NOT NULL) OR ((pause_reason IS NULL) AND (paused_until IS NULL))))),
  constraint queues_reactivation_unit CHECK ((reactivation_unit = ANY (ARRAY['PERCENT'::text, 'COUNT'::text]))),
  constraint queues_status CHECK ((status = ANY (ARRAY['ACTIVE'::text, 'INACTIVE'::text]))),
  constraint queues_model_id_fkey FOREIGN KEY (model_id) REFERENCES work_item_models(id),
  constraint queues_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id),
  constraint queues_pkey PRIMARY KEY (id),
  constraint queues_name_unique UNIQUE (tenant_id, name)
);
CREATE INDEX queues_model ON queues USING btree (model_id, id);
CREATE INDEX queues_to_rekey ON queues USING btree (id) WHERE (rekey_after IS NOT NULL);
CREATE INDEX queues_to_resume ON queues USING btree (paused_until) WHERE (paused_until IS NOT NULL);

create table remedies (
  queue_id bigint not null,
  id bigint not null generated always as identity,
  error_signature text not null,
  failure_kind text not null,
  batch_id bigint not null,
  restarted integer not null,
  created_by bigint not null,
  created_on timestamp with time zone not null,
  constraint remedies_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES queues(id) ON DELETE CASCADE,
  constraint remedies_pkey PRIMARY KEY (queue_id, id),
  constraint remedies_batch UNIQUE (queue_id, batch_id, error_signature, failure_kind)
);
CREATE INDEX remedies_cluster ON remedies USING btree (queue_id, error_signature, failure_kind, id);

create table revoked_sessions (
  id text not null,
  expires_on timestamp with time zone not null,
  constraint revoked_sessions_pkey PRIMARY KEY (id)
);

create table roles (
  id bigint not null generated always as identity,
  tenant_id bigint not null,
  name text not null,
  description text not null default ''::text,
  permissions text[] not null,
  version integer not null default 0,
  created_by bigint not null,
  created_on timestamp with time zone not null,
  updated_by bigint not null,
  updated_on timestamp with time zone not null,
  constraint roles_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id),
  constraint roles_pkey PRIMARY KEY (id),
  constraint roles_name_unique UNIQUE (tenant_id, name)
);

create table runs (
  queue_id bigint not null,
  item_id bigint not null,
  device_id bigint not null,
  automation_id bigint not null,
  run_as_user_id bigint,
  started_on timestamp with time zone not null,
  constraint runs_pkey PRIMARY KEY (queue_id, item_id)
) with (autovacuum_vacuum_scale_factor=0.01, autovacuum_vacuum_threshold=500, autovacuum_vacuum_cost_delay=0);
CREATE INDEX runs_automation ON runs USING btree (automation_id);
CREATE INDEX runs_device ON runs USING btree (device_id);
CREATE UNIQUE INDEX runs_run_as_user_unique ON runs USING btree (run_as_user_id) WHERE (run_as_user_id IS NOT NULL);

create table sealing_keys (
  id text not null,
  public_key text not null,
  created_on timestamp with time zone not null,
  retired_on timestamp with time zone,
  constraint sealing_keys_pkey PRIMARY KEY (id)
);

create table sessions (
  id text not null,
  user_id bigint not null,
  api_key_id bigint,
  begun_on timestamp with time zone not null,
  renewed_on timestamp with time zone not null,
  expires_on timestamp with time zone not null,
  address text not null,
  user_agent text,
  constraint sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
  constraint sessions_pkey PRIMARY KEY (id)
);
CREATE INDEX sessions_expired ON sessions USING btree (expires_on);
CREATE INDEX sessions_user ON sessions USING btree (user_id);

create table sign_ons (
  secret_hash bytea not null,
  provider text not null,
  redirect_uri text not null,
  next text,
  network text not null,
  expires_on timestamp with time zone not null,
  constraint sign_ons_pkey PRIMARY KEY (secret_hash)
);
CREATE INDEX sign_ons_expired ON sign_ons USING btree (expires_on);
CREATE INDEX sign_ons_network ON sign_ons USING btree (network);

create table signing_keys (
  id text not null,
  private_key text not null,
  public_key text not null,
  created_on timestamp with time zone not null,
  constraint signing_keys_pkey PRIMARY KEY (id)
);

create table tenant_keys (
  tenant_id bigint not null,
  purpose text not null,
  version integer not null,
  wrapped bytea not null,
  master_key text not null,
  created_on timestamp with time zone not null,
  constraint tenant_keys_purpose CHECK ((purpose = ANY (ARRAY['DATA'::text, 'INDEX'::text]))),
  constraint tenant_keys_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id),
  constraint tenant_keys_pkey PRIMARY KEY (tenant_id, purpose, version)
);

create table tenants (
  id bigint not null generated always as identity,
  uuid uuid not null default gen_random_uuid(),
  name text not null,
  disabled boolean not null default false,
  created_on timestamp with time zone,
  constraint tenants_pkey PRIMARY KEY (id),
  constraint tenants_name_unique UNIQUE (name),
  constraint tenants_uuid_key UNIQUE (uuid)
);

create table upload_rows (
  queue_id bigint not null,
  upload_id bigint not null,
  "row" integer not null,
  cells json not null,
  reason text not null,
  constraint upload_rows_queue_id_upload_id_fkey FOREIGN KEY (queue_id, upload_id) REFERENCES uploads(queue_id, id) ON DELETE CASCADE,
  constraint upload_rows_pkey PRIMARY KEY (queue_id, upload_id, "row")
);

create table uploads (
  queue_id bigint not null,
  id bigint not null generated always as identity,
  file_name text not null,
  file_bytes bigint not null,
  file_hash bytea not null,
  layout json not null,
  on_error text not null,
  read_rows integer not null,
  created integer not null,
  rejected integer not null,
  duplicates integer not null,
  problems json not null,
  created_by bigint not null,
  created_on timestamp with time zone not null,
  batch_id bigint,
  header json,
  kept_rows integer not null default 0,
  state text not null default 'STORED'::text,
  undone_on timestamp with time zone,
  undone_by bigint,
  read_bytes bigint,
  seen_on timestamp with time zone,
  refusal json,
  ended_on timestamp with time zone,
  marked bigint[] not null default '{}'::bigint[],
  expected json,
  bytes_hash bytea,
  constraint uploads_state CHECK ((state = ANY (ARRAY['READING'::text, 'STORED'::text, 'REFUSED'::text, 'CUT'::text]))),
  constraint uploads_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES queues(id) ON DELETE CASCADE,
  constraint uploads_pkey PRIMARY KEY (queue_id, id)
);
CREATE INDEX uploads_bytes ON uploads USING btree (queue_id, bytes_hash) WHERE (bytes_hash IS NOT NULL);
CREATE INDEX uploads_file ON uploads USING btree (queue_id, file_hash);
CREATE INDEX uploads_reading ON uploads USING btree (created_by) WHERE (state = 'READING'::text);

create table user_identities (
  tenant_id bigint not null,
  issuer text not null,
  subject text not null,
  user_id bigint not null,
  provider text not null,
  constraint user_identities_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id),
  constraint user_identities_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
  constraint user_identities_pkey PRIMARY KEY (tenant_id, issuer, subject),
  constraint user_identities_user_id_key UNIQUE (user_id)
);

create table user_preferences (
  user_id bigint not null,
  preferences jsonb not null,
  updated_on timestamp with time zone not null,
  constraint user_preferences_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
  constraint user_preferences_pkey PRIMARY KEY (user_id)
);

create table user_roles (
  user_id bigint not null,
  role_id bigint not null,
  provider text,
  constraint user_roles_role_id_fkey FOREIGN KEY (role_id) REFERENCES roles(id),
  constraint user_roles_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE,
  constraint user_roles_pkey PRIMARY KEY (user_id, role_id)
);
CREATE INDEX user_roles_role ON user_roles USING btree (role_id);

create table users (
  id bigint not null generated always as identity,
  tenant_id bigint not null,
  username text not null,
  password_hash text,
  email text not null default ''::text,
  first_name text not null default ''::text,
  last_name text not null default ''::text,
  description text not null default ''::text,
  disabled boolean not null default false,
  version integer not null default 0,
  created_by bigint not null,
  created_on timestamp with time zone not null,
  updated_by bigint not null,
  updated_on timestamp with time zone not null,
  deleted_on timestamp with time zone,
  must_change_password boolean not null default false,
  last_seen_on timestamp with time zone,
  constraint users_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id),
  constraint users_pkey PRIMARY KEY (id)
);
CREATE INDEX users_tenant ON users USING btree (tenant_id, id);
CREATE UNIQUE INDEX users_username_unique ON users USING btree (lower(username));

create table views (
  id bigint not null generated always as identity,
  tenant_id bigint not null,
  user_id bigint not null,
  page text not null,
  queue_id bigint,
  name text not null,
  query text not null,
  columns text[] not null,
  sort text not null,
  shared boolean not null,
  created_on timestamp with time zone not null,
  updated_by bigint not null,
  updated_on timestamp with time zone not null,
  version integer not null default 0,
  constraint views_shared_in_queue CHECK (((NOT shared) OR (queue_id IS NOT NULL))),
  constraint views_queue_id_fkey FOREIGN KEY (queue_id) REFERENCES queues(id) ON DELETE CASCADE,
  constraint views_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id),
  constraint views_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id),
  constraint views_pkey PRIMARY KEY (id)
);
CREATE UNIQUE INDEX views_own_name ON views USING btree (user_id, page, COALESCE(queue_id, (0)::bigint), name) WHERE (NOT shared);
CREATE INDEX views_queue ON views USING btree (queue_id);
CREATE UNIQUE INDEX views_shared_name ON views USING btree (queue_id, page, name) WHERE shared;
CREATE INDEX views_user ON views USING btree (user_id);

create table work_item_data (
  queue_id bigint not null,
  item_id bigint not null,
  "json" json not null,
  constraint work_item_data_pkey PRIMARY KEY (queue_id, item_id)
) with (autovacuum_vacuum_scale_factor=0.01, autovacuum_vacuum_threshold=500, autovacuum_vacuum_cost_delay=0);

create table work_item_hashes (
  queue_id bigint not null,
  hash bytea not null,
  item_id bigint not null,
  constraint work_item_hashes_pkey PRIMARY KEY (queue_id, hash)
);
CREATE INDEX work_item_hashes_item ON work_item_hashes USING btree (queue_id, item_id);

create table work_item_logs (
  queue_id bigint not null,
  item_id bigint not null,
  tail text not null,
  updated_on timestamp with time zone not null,
  constraint work_item_logs_tail CHECK ((length(tail) <= 16384)),
  constraint work_item_logs_pkey PRIMARY KEY (queue_id, item_id)
) with (fillfactor=80, autovacuum_vacuum_scale_factor=0.01, autovacuum_vacuum_threshold=500, autovacuum_vacuum_cost_delay=0);

create table work_item_model_versions (
  model_id bigint not null,
  version integer not null,
  name text not null,
  attributes json not null,
  updated_by bigint not null,
  updated_on timestamp with time zone not null,
  constraint work_item_model_versions_model_id_fkey FOREIGN KEY (model_id) REFERENCES work_item_models(id) ON DELETE CASCADE,
  constraint work_item_model_versions_pkey PRIMARY KEY (model_id, version)
);

create table work_item_models (
  id bigint not null generated always as identity,
  tenant_id bigint not null,
  name text not null,
  version integer not null default 0,
  created_by bigint not null,
  created_on timestamp with time zone not null,
  updated_by bigint not null,
  updated_on timestamp with time zone not null,
  attributes json not null default '[]'::json,
  archived_on timestamp with time zone,
  constraint work_item_models_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants(id),
  constraint work_item_models_pkey PRIMARY KEY (id),
  constraint work_item_models_name_unique UNIQUE (tenant_id, name)
);

create table work_item_texts (
  queue_id bigint not null,
  item_id bigint not null,
  text text,
  constraint work_item_texts_pkey PRIMARY KEY (queue_id, item_id)
);
CREATE INDEX work_item_texts_long ON work_item_texts USING btree (queue_id, item_id) WHERE (text IS NULL);
CREATE INDEX work_item_texts_trigrams ON work_item_texts USING gin (queue_id, text gin_trgm_ops);

create table work_item_values (
  queue_id bigint not null,
  item_id bigint not null,
  attribute bigint not null,
  text text,
  number numeric,
  at timestamp with time zone,
  constraint work_item_values_pkey PRIMARY KEY (queue_id, item_id, attribute)
);
CREATE INDEX work_item_values_at ON work_item_values USING btree (queue_id, attribute, at, item_id) WHERE (at IS NOT NULL);
CREATE INDEX work_item_values_number ON work_item_values USING btree (queue_id, attribute, number, item_id) WHERE (number IS NOT NULL);
CREATE INDEX work_item_values_text ON work_item_values USING btree (queue_id, attribute, text, item_id) WHERE (text IS NOT NULL);
CREATE INDEX work_item_values_unset ON work_item_values USING btree (queue_id, attribute, item_id) WHERE ((text IS NULL) AND (number IS NULL) AND (at IS NULL));

create table work_items (
  queue_id bigint not null,
  id bigint not null generated always as identity,
  status text not null,
  sort_key bytea not null,
  priority smallint not null,
  version integer not null default 0,
  retry_count smallint not null default 0,
  not_before timestamp with time zone,
  expires_on timestamp with time zone,
  claimed_by bigint,
  device_id bigint,
  lease_expires_on timestamp with time zone,
  started_on timestamp with time zone,
  ended_on timestamp with time zone,
  result text,
  failure_kind text,
  reported_by bigint,
  reported_version integer,
  reported_status text,
  created_by bigint not null,
  created_on timestamp with time zone not null,
  updated_by bigint not null,
  updated_on timestamp with time zone not null,
  progress json,
  output json,
  comment text,
  error text,
  point_of_no_return_on timestamp with time zone,
  cancel_requested_on timestamp with time zone,
  cancel_requested_by bigint,
  cancel_reason text,
  automation_id bigint,
  run_as_user_id bigint,
  model_version integer,
  result_text text,
  tags text[],
  lapse_count smallint,
  lease_seconds real,
  batch_id bigint,
  error_signature text,
  remedy_id bigint,
  constraint work_items_cancellation CHECK ((((cancel_requested_on IS NULL) OR (status = 'IN_PROGRESS'::text)) AND ((cancel_requested_on IS NULL) = (cancel_requested_by IS NULL)) AND ((cancel_reason IS NULL) OR (cancel_requested_on IS NOT NULL)))),
  constraint work_items_failure_kind CHECK ((failure_kind = ANY (ARRAY['BUSINESS'::text, 'SYSTEM'::text, 'DATA_ERROR'::text, 'EXPIRED'::text, 'IN_DOUBT'::text]))),
  constraint work_items_lapse_count CHECK ((lapse_count > 0)),
  constraint work_items_lease CHECK (((status = 'IN_PROGRESS'::text) = (lease_expires_on IS NOT NULL))),
  constraint work_items_outcome CHECK ((((status = 'COMPLETE'::text) = (NOT (result IS DISTINCT FROM 'SUCCESS'::text))) AND ((status = 'FAILED'::text) = (NOT (result IS DISTINCT FROM 'FAILURE'::text))) AND ((status = 'FAILED'::text) = (failure_kind IS NOT NULL)))),
  constraint work_items_point_of_no_return CHECK (
CASE
    WHEN (failure_kind = 'IN_DOUBT'::text) THEN (point_of_no_return_on IS NOT NULL)
    ELSE ((point_of_no_return_on IS NULL) OR (status = 'IN_PROGRESS'::text))
END),
  constraint work_items_result CHECK ((result = ANY (ARRAY['SUCCESS'::text, 'FAILURE'::text]))),
  constraint work_items_result_text CHECK ((length(result_text) <= 1000)),
  constraint work_items_status CHECK ((status = ANY (ARRAY['NEW'::text, 'IN_PROGRESS'::text, 'COMPLETE'::text, 'FAILED'::text, 'DEFERRED'::text]))),
  constraint work_items_tags CHECK (((cardinality(tags) >= 1) AND (cardinality(tags) <= 50))),
  constraint work_items_pkey PRIMARY KEY (queue_id, id)
) with (fillfactor=80, autovacuum_vacuum_scale_factor=0.01, autovacuum_vacuum_threshold=500, autovacuum_vacuum_cost_delay=0, vacuum_truncate=off);
CREATE INDEX work_items_batch ON work_items USING btree (queue_id, batch_id, status, id) WHERE (batch_id IS NOT NULL);
CREATE INDEX work_items_batch_parked ON work_items USING btree (queue_id, batch_id) WHERE ((batch_id IS NOT NULL) AND (status = 'DEFERRED'::text) AND ((not_before IS NOT NULL) OR (expires_on IS NOT NULL)));
CREATE INDEX work_items_complete ON work_items USING btree (queue_id, id) WHERE (status = 'COMPLETE'::text);
CREATE INDEX work_items_deferred ON work_items USING btree (queue_id, id) WHERE (status = 'DEFERRED'::text);
CREATE INDEX work_items_due ON work_items USING btree (not_before) WHERE (not_before IS NOT NULL);
CREATE INDEX work_items_ended ON work_items USING btree (queue_id, ended_on, id) WHERE (ended_on IS NOT NULL);
CREATE INDEX work_items_expiring ON work_items USING btree (expires_on) WHERE ((expires_on IS NOT NULL) AND (status = ANY (ARRAY['NEW'::text, 'DEFERRED'::text])));
CREATE INDEX work_items_failed ON work_items USING btree (queue_id, id) WHERE (status = 'FAILED'::text);
CREATE INDEX work_items_failures ON work_items USING btree (queue_id, error_signature, failure_kind, ended_on, id) WHERE (status = 'FAILED'::text);
CREATE INDEX work_items_in_doubt ON work_items USING btree (queue_id, id) WHERE (failure_kind = 'IN_DOUBT'::text);
CREATE INDEX work_items_ready ON work_items USING btree (queue_id, sort_key, id) WHERE ((status = 'NEW'::text) AND (not_before IS NULL));
CREATE INDEX work_items_remedied ON work_items USING btree (queue_id, remedy_id, status, error_signature) WHERE (remedy_id IS NOT NULL);
CREATE INDEX work_items_running ON work_items USING btree (queue_id, id) WHERE (status = 'IN_PROGRESS'::text);
CREATE INDEX work_items_unsigned ON work_items USING btree (queue_id, id) WHERE ((status = 'FAILED'::text) AND (error_signature IS NULL));
CREATE INDEX work_items_until ON work_items USING btree (queue_id, status, not_before) WHERE (not_before IS NOT NULL);
CREATE INDEX work_items_waiting ON work_items USING btree (queue_id, id) WHERE (status = 'NEW'::text);
