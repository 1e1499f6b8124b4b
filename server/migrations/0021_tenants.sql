-- Nobody of a disabled tenant logs in or does anything.
alter table tenants add column disabled boolean not null default false;
alter table tenants add column created_on timestamptz;
