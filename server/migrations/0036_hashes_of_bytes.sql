-- Of the bytes of a file alone: read in another way it is still the same file. None of those from before.
alter table uploads add column bytes_hash bytea;
create index uploads_bytes on uploads (queue_id, bytes_hash) where bytes_hash is not null;
