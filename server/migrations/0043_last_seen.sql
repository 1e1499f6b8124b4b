-- When a user last began or renewed a session, to the minute. Nobody knows it of the time before.
alter table users add last_seen_on timestamptz;
