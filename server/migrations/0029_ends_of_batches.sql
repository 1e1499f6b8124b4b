-- The end of a bulk action is told as well: the item of it that waited when it was last looked at, for as long as one does.
alter table batches add column watched_from bigint;
create index batches_watched on batches (queue_id, id) where watched_from is not null;

-- Whether what is deferred of a batch goes on, or ends, without a person.
create index work_items_batch_parked on work_items (queue_id, batch_id)
  where batch_id is not null and status = 'DEFERRED' and (not_before is not null or expires_on is not null);
