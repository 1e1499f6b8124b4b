-- An upload is a batch. It can be undone, its rejected rows are kept for their correction, and one may be on its way.
alter table uploads
  add column batch_id bigint,
  -- The cells of the first row of the file, and the rows that are kept of it.
  add column header json,
  add column kept_rows int not null default 0,
  add column state text not null default 'STORED' constraint uploads_state check (state in ('READING', 'STORED', 'REFUSED', 'CUT')),
  add column undone_on timestamptz,
  add column undone_by bigint,
  -- Of one on its way: how far it is read, and when the server that reads it was last heard of.
  add column read_bytes bigint,
  add column seen_on timestamptz,
  -- Why nothing was stored.
  add column refusal json,
  add column ended_on timestamptz;
create index uploads_reading on uploads (created_by) where state = 'READING';

-- Rows of a file that did not come in as they should have: their cells, in the order of the file, and why.
create table upload_rows (
  queue_id bigint not null,
  upload_id bigint not null,
  row int not null,
  cells json not null,
  reason text not null,
  primary key (queue_id, upload_id, row),
  foreign key (queue_id, upload_id) references uploads on delete cascade
);
