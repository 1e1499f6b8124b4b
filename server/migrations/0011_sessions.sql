-- A log-out ends a session: the log-in, with all tokens that were got for one another since.
alter table revoked_tokens rename to revoked_sessions;
alter table revoked_sessions rename constraint revoked_tokens_pkey to revoked_sessions_pkey;

-- The installation is its operator's, not any tenant's administrator's: the first administrator of the first tenant, as at a first
-- start from now on.
insert into roles (tenant_id, name, description, permissions, created_by, created_on, updated_by, updated_on)
  select id, 'AAE_Operator', 'Operator: manages the installation', '{manageInstallation}', 0, now(), 0, now() from tenants order by id;
insert into user_roles (user_id, role_id)
  select u.id, operator.id from users u
    join user_roles ur on ur.user_id = u.id
    join roles admin on admin.id = ur.role_id and admin.name = 'AAE_Admin'
    join roles operator on operator.tenant_id = u.tenant_id and operator.name = 'AAE_Operator'
  where u.tenant_id = (select min(id) from tenants) and not u.disabled
  order by u.id limit 1;

-- Failed log-ins are counted by name and address together, by name and by address; each is a hash. Those of the last minute may wait
-- for one event that tells of all: `event` is what it will say.
drop table login_failures;
create table login_failures (
  subject_hash bytea primary key,
  failures int not null,
  last_on timestamptz not null,
  unrecorded int not null default 0,
  recorded_on timestamptz,
  event jsonb
);
create index login_failures_unrecorded on login_failures (recorded_on) where unrecorded > 0;

-- From which addresses users have logged in with their passwords lately, as hashes of name and address: there they do not wait for
-- what others do.
create table known_logins (
  subject_hash bytea primary key,
  last_on timestamptz not null
);
