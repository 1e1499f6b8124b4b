-- What a call with an Idempotency-Key answered, for a day: who sends it again gets the same answer, and nothing is done twice. A call
-- that takes several transactions is here from its beginning on, and is not done until it has its answer.
create table idempotency_keys (
  user_id bigint not null references users on delete cascade,
  key text not null check (length(key) between 1 and 255),
  request_hash bytea not null,
  is_done boolean not null,
  answer json,
  created_on timestamptz not null,
  primary key (user_id, key)
);
create index idempotency_keys_created on idempotency_keys (created_on);
