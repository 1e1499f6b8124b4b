-- Sessions that browsers keep by a cookie. The cookie names its session by a handle that stays, and proves it by a secret that changes
-- at each use: whoever shows a handle with an old secret has a copy of the cookie. Both are here as hashes.
create table browser_sessions (
  handle_hash bytea primary key,
  session_id text not null unique references sessions on delete cascade,
  secret_hash bytea not null,
  -- The secret before, and what the present one was made of it with: tabs that come at the same time make the same one.
  former_hash bytea,
  nonce bytea,
  changed_on timestamptz not null
);
