-- The feed of events: everything that happened to a tenant, in an order in which nothing can turn up late.

-- Ids are given before their transactions commit, so the order of ids is not an order of appearance. `tx` is the
-- transaction that wrote the row: what is below the oldest transaction under way is complete for good. Rows from before
-- the feed are older than all transactions: '0'.
alter table events add column tx xid8 not null default '0';
alter table events alter column tx set default pg_current_xact_id();

-- Whose events they are. Of a queue that was deleted, whoever acted in it knows; 0 is nobody.
alter table events add column tenant_id bigint;
update events e set tenant_id = coalesce(
  (select q.tenant_id from queues q where q.id = e.queue_id),
  (select u.tenant_id from users u where u.id = e.actor_id),
  (select u.tenant_id from events o join users u on u.id = o.actor_id where o.queue_id = e.queue_id limit 1),
  0);
alter table events alter column tenant_id set not null;

create index events_feed on events (tenant_id, tx, id);
