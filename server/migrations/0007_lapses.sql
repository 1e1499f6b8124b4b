-- Items that bring down whoever processes them: their lapses are counted, and have a limit.

alter table work_items
  -- Lapses in a row, since somebody last reported on the item; null for none, which costs a row nothing.
  add column lapse_count smallint constraint work_items_lapse_count check (lapse_count > 0);

alter table queues
  add column lapse_limit smallint not null default 5
    constraint queues_lapse_limit check (lapse_limit between 0 and 100);
