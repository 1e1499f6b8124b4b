-- The keys of tenants, each encrypted with a master key that is not in the database. DATA keys encrypt values, the newest version new ones;
-- the INDEX key makes the hashes by which equal values are found.
create table tenant_keys (
  tenant_id bigint not null references tenants,
  purpose text not null constraint tenant_keys_purpose check (purpose in ('DATA', 'INDEX')),
  version int not null,
  wrapped bytea not null,
  -- The name of the master key that opens it.
  master_key text not null,
  created_on timestamptz not null,
  primary key (tenant_id, purpose, version)
);
