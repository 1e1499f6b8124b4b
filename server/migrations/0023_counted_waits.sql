-- Items that wait for their retry, and those in doubt, are counted as the statuses are: the statistics of a queue read no item for them.
alter table queue_tallies add in_back_off int not null default 0, add in_doubt int not null default 0;
insert into queue_tallies (queue_id, minute, new, in_progress, complete, failed, deferred, finished_complete, finished_failed,
  handling_ms, in_back_off, in_doubt)
select queue_id, '-infinity', 0, 0, 0, 0, 0, 0, 0, 0, count(*) filter (where status = 'NEW'), count(*) filter (where status = 'FAILED')
from work_items where (status = 'NEW' and not_before is not null) or failure_kind = 'IN_DOUBT' group by queue_id;
