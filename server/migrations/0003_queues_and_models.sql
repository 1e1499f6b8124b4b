-- Queues that pause for a reason, are archived, and change while they are in use.

-- Who paused a queue that is INACTIVE, why, and when it goes on by itself.
alter table queues
  add column paused_by bigint,
  add column paused_on timestamptz,
  add column pause_reason text,
  add column paused_until timestamptz,
  add column archived_on timestamptz;
update queues set paused_by = updated_by, paused_on = updated_on where status = 'INACTIVE';
alter table queues
  add constraint queues_pause check (
    (status = 'INACTIVE') = (paused_on is not null)
    and (paused_on is null) = (paused_by is null)
    and (paused_on is not null or (pause_reason is null and paused_until is null))
  ),
  -- What grants nothing from a queue that is INACTIVE need not know of archives, and no job may resume one.
  add constraint queues_archive check (archived_on is null or (status = 'INACTIVE' and paused_until is null));
create index queues_to_resume on queues (paused_until) where paused_until is not null;

-- How far the items of a queue have been brought to its present order: those up to this id. Null when all are.
alter table queues
  add column rekey_after bigint,
  -- Not before all transactions below it are done: they may have read the former order.
  add column rekey_horizon xid8;
create index queues_to_rekey on queues (id) where rekey_after is not null;
