-- A user who is deleted stays as a name, by which all that they did can be read; the name is given to nobody else.
alter table users add column deleted_on timestamptz;
-- The password was made up for the user by somebody else: until it is changed, a session that began with it is good for nothing else.
alter table users add column must_change_password boolean not null default false;

-- Sessions that may be in use: until the newest token of each has expired. Those that began before are here from their next renewal on.
create table sessions (
  id text primary key,
  user_id bigint not null references users on delete cascade,
  api_key_id bigint,
  begun_on timestamptz not null,
  renewed_on timestamptz not null,
  expires_on timestamptz not null,
  address text not null,
  user_agent text
);
create index sessions_user on sessions (user_id);
create index sessions_expired on sessions (expires_on);
