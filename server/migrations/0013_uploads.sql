-- Files that came in: what became of each, for as long as its queue is there.
create table uploads (
  queue_id bigint not null references queues on delete cascade,
  id bigint generated always as identity,
  file_name text not null,
  file_bytes bigint not null,
  -- Of the bytes of the file and of how it was read: the same again is answered with what became of it.
  file_hash bytea not null,
  layout json not null,
  on_error text not null,
  read_rows int not null,
  created int not null,
  rejected int not null,
  duplicates int not null,
  -- The first of them.
  problems json not null,
  created_by bigint not null,
  created_on timestamptz not null,
  primary key (queue_id, id)
);
create index uploads_file on uploads (queue_id, file_hash);
