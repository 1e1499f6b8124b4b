-- What a key is good for: some permissions of its user, some queues; null for all. Its first characters tell people which it is.
alter table api_keys add column permissions text[];
alter table api_keys add column queue_ids bigint[];
alter table api_keys add column prefix text;
alter table api_keys add column last_used_on timestamptz;
alter table api_keys add column replaces bigint;
