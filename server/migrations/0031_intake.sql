-- How files for a queue write dates, numbers and times, where the request does not say it.
alter table queues add column intake_format json;

-- The control totals of a file that is on its way, beside those with which it is sent once more meanwhile.
alter table uploads add column expected json;
