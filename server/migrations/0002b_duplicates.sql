-- Which attributes make two items duplicates (none named: all), and whether those that are done still count.
alter table queues
  add unique_by text[] not null default '{}',
  add duplicate_scope text not null default 'ALL'
    constraint queues_duplicate_scope check (duplicate_scope in ('ALL', 'OPEN'));
