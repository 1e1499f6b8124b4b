-- What is left of a deleted queue beside its events: whose it was, and the attributes of its model, by which its events are read. They
-- follow the model, so that what becomes sensitive is sealed in these events as well.
create table deleted_queues (
  id bigint primary key,
  tenant_id bigint not null,
  model_id bigint not null,
  name text not null,
  attributes json not null,
  model_version int not null,
  deleted_on timestamptz not null,
  -- The last item whose events are as the model says; null when all are.
  rekey_after bigint
);
create index deleted_queues_model on deleted_queues (model_id);
create index deleted_queues_rekeying on deleted_queues (id) where rekey_after is not null;

insert into deleted_queues (id, tenant_id, model_id, name, attributes, model_version, deleted_on, rekey_after)
select e.queue_id, e.tenant_id, m.id, coalesce(e.changes ->> 'name', ''), m.attributes, m.version, now(),
  case when m.attributes::text like '%"sensitivity"%' then 0 end
from events e join work_item_models m on m.id = (e.changes ->> 'workItemModelId')::bigint
where e.operation = 'createQueue' and e.item_id = 0 and e.queue_id <> 0
  and not exists (select from queues q where q.id = e.queue_id)
on conflict do nothing;

-- The attributes that were sensitive when the file was read: of others, its rows to correct and what was wrong with them may tell values.
alter table uploads add column marked bigint[] not null default '{}';
-- Whether files are kept of the queue from before an attribute was marked.
alter table queues add column forgets_rows boolean not null default false;
update queues set forgets_rows = true where attributes::text like '%"sensitivity"%';

-- What an erasure changed is signed by the server that did it, with a key that is not in the database: the hash of each event before and after.
alter table audit_erasures add column before bytea, add column key_id text, add column signature bytea;
-- What was erased before this is of the former kind, of which nothing is signed: a server does that once, when it next seals.
alter table audit_erasures add column of_former_kind boolean not null default false;
update audit_erasures set of_former_kind = true;
create index audit_erasures_unsigned on audit_erasures (tenant_id, erased_by) where of_former_kind and signature is null;
