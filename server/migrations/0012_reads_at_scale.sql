-- Pages of the items of each status, the oldest of those that wait, and items by the time of their end: without reading the rest of a
-- queue. Each item is in the index of its status only, so a change of status writes one entry, as many as for one index over all.
create index work_items_waiting on work_items (queue_id, id) where status = 'NEW';
create index work_items_deferred on work_items (queue_id, id) where status = 'DEFERRED';
create index work_items_complete on work_items (queue_id, id) where status = 'COMPLETE';
create index work_items_failed on work_items (queue_id, id) where status = 'FAILED';
create index work_items_ended on work_items (queue_id, ended_on, id) where ended_on is not null;
