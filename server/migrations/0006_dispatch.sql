-- Where dispatch is: how far the automations of a pool have come, and how far a queue has been worked off.

alter table pools
  -- Where automations start that had nothing to do for a while: they do not make up for it.
  add column virtual_time double precision not null default 0;

-- Only for queues whose reactivation threshold can keep a device waiting.
create table queue_passes (
  queue_id bigint primary key references queues on delete cascade,
  -- Items that devices have begun since nothing waited.
  started int not null
) with (fillfactor = 50);
