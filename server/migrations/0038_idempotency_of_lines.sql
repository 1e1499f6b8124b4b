-- A body of lines is performed some lines at a time, each time in a transaction that keeps what became of them, as a part of the call with that key.
-- All other calls are the part 0.
alter table idempotency_keys add column part int not null default 0 check (part >= 0);
alter table idempotency_keys drop constraint idempotency_keys_pkey, add primary key (user_id, key, part);
