-- "Nothing is promised" is answered as version 0: a promise begins at 1, so that one made meanwhile is never taken for none.
alter table queue_levels alter column version set default 1;
update queue_levels set version = version + 1;
