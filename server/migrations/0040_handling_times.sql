-- Of the items that a row counts as finished, how many took about how long: a JSON object of counts by the number of the time's bucket
-- (server/src/journal/times.rules.ts), without those that are empty. None where nothing was finished.
alter table queue_tallies add handling_times json;
alter table queue_history add handling_times json;
