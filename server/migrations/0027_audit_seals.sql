-- The public halves of the keys that sign seals; the private ones are in files of the servers.
create table sealing_keys (
  id text primary key,
  public_key text not null,
  created_on timestamptz not null,
  -- No server signs with it any more.
  retired_on timestamptz
);

-- Where the seals of a tenant have come to.
create table audit_chains (
  tenant_id bigint primary key,
  number bigint not null,
  -- The hash of the newest seal.
  head bytea not null,
  -- The newest event that is sealed, by its place in the feed.
  tx xid8 not null,
  event_id bigint not null,
  -- The events of seals up to this one have lost their places in the feed, when the database was restored.
  moved_through bigint not null default 0
);

-- A seal is about the events of a tenant between two places in the feed.
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
  sealed_on timestamptz not null,
  key_id text not null,
  signature bytea not null,
  -- Of each event, in order: its id, and 32 bytes of hash, which stay when the event is erased by rule.
  event_ids bigint[] not null,
  event_hashes bytea not null,
  lowest_id bigint not null,
  highest_id bigint not null,
  primary key (tenant_id, number)
);
-- Hashes do not get smaller.
alter table audit_seals alter column event_hashes set storage external;

-- Events that were erased by rule: taken away, or changed to what has this hash. An event says so.
create table audit_erasures (
  tenant_id bigint not null,
  erased_by bigint not null,
  event_id bigint not null,
  hash bytea,
  primary key (tenant_id, erased_by, event_id)
);
create index audit_erasures_event on audit_erasures (tenant_id, event_id);
