-- A heartbeat that does not say for how long extends a lease by its own length.
alter table work_items add column lease_seconds real;
