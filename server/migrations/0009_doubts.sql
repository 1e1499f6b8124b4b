-- What people look for in the morning: items in doubt, and those that wait for a time.

-- In all queues of somebody, oldest first; there are few.
create index work_items_in_doubt on work_items (queue_id, id) where failure_kind = 'IN_DOUBT';

-- How many items of a queue wait for their retry, and when the next item is due.
create index work_items_until on work_items (queue_id, status, not_before) where not_before is not null;
