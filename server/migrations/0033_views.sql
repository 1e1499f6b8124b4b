-- How users like the console to be, for whatever browser they use. The members are those of the contract.
create table user_preferences (
  user_id bigint primary key references users on delete cascade,
  preferences jsonb not null,
  updated_on timestamptz not null
);

-- Names for what people look at: a page with its filter, columns and order.
create table views (
  id bigint generated always as identity primary key,
  tenant_id bigint not null references tenants,
  -- Who has made it; of a shared one that may be somebody who is gone.
  user_id bigint not null references users,
  page text not null,
  queue_id bigint references queues on delete cascade,
  name text not null,
  query text not null,
  columns text[] not null,
  sort text not null,
  shared boolean not null,
  created_on timestamptz not null,
  updated_by bigint not null,
  updated_on timestamptz not null,
  version int not null default 0,
  constraint views_shared_in_queue check (not shared or queue_id is not null)
);
create unique index views_own_name on views (user_id, page, coalesce(queue_id, 0), name) where not shared;
create unique index views_shared_name on views (queue_id, page, name) where shared;
create index views_user on views (user_id);
create index views_queue on views (queue_id);
