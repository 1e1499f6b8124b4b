-- How long the oldest waiting item of a queue had waited, looked at once a minute; the longest of those where rows are added up. None
-- where nothing waited or nobody looked.
alter table queue_tallies add oldest_wait_ms bigint;
alter table queue_history add oldest_wait_ms bigint;
