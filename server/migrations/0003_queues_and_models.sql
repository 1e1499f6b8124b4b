-- Queues that pause for a reason, are archived, and change while they are in use.

-- Who paused a queue that is INACTIVE, why, and when it goes on by itself.
alter table queues
  add column paused_by bigint,
  add column paused_on timestamptz,
  add column pause_reason text,
  add column paused_until timestamptz,
  add column archived_on timestamptz;
update queues set paused_by = updated_by, paused_on = updated_on where status = 'INACTIVE';
alter table queues
  add constraint queues_pause check (
    (status = 'INACTIVE') = (paused_on is not null)
    and (paused_on is null) = (paused_by is null)
    and (paused_on is not null or (pause_reason is null and paused_until is null))
  ),
  -- What grants nothing from a queue that is INACTIVE need not know of archives, and no job may resume one.
  add constraint queues_archive check (archived_on is null or (status = 'INACTIVE' and paused_until is null));
create index queues_to_resume on queues (paused_until) where paused_until is not null;

-- How far the items of a queue have been brought to its present order: those up to this id. Null when all are.
alter table queues
  add column rekey_after bigint,
  -- Not before all transactions below it are done: they may have read the former order.
  add column rekey_horizon xid8,
  -- Items after this one were written by those who have read the present order.
  add column rekey_until bigint,
  -- Whether the items that are looked at anew get the present expiry of the queue as well.
  add column renews_expiry boolean not null default false;
create index queues_to_rekey on queues (id) where rekey_after is not null;

-- Models change by versions; an attribute keeps its id whatever becomes of the rest. A model is read and written as a
-- whole: its attributes are one value. They say as well what they were called before.
create sequence work_item_attribute_ids;
alter table work_item_models
  add column attributes json not null default '[]',
  add column archived_on timestamptz;
update work_item_models m set attributes = (
  select json_agg(json_build_object('id', a.id, 'name', a.name, 'type', a.type, 'isRequired', a.is_required)
                  order by a.position) from work_item_attributes a where a.model_id = m.id);
select setval('work_item_attribute_ids', (select coalesce(max(id), 0) + 1 from work_item_attributes), false);
drop table work_item_attributes;

-- Each version of a model as it was, the present one among them.
create table work_item_model_versions (
  model_id bigint not null references work_item_models on delete cascade,
  version int not null,
  name text not null,
  attributes json not null,
  updated_by bigint not null,
  updated_on timestamptz not null,
  primary key (model_id, version)
);
insert into work_item_model_versions (model_id, version, name, attributes, updated_by, updated_on)
  select id, version, name, attributes, updated_by, updated_on from work_item_models;

-- The model as it is now, in each of its queues: whoever locks a queue has read its model with it.
alter table queues
  add column model_version int not null default 0,
  -- Records of older versions of the model have other names.
  add column names_since int not null default 0,
  add column attributes json not null default '[]';
update queues q set (model_version, attributes) = (
  select m.version, m.attributes from work_item_models m where m.id = q.model_id);
create index queues_model on queues (model_id, id);

