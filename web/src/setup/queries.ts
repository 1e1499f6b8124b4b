import type { Call, Id, Output, Schemas } from '@millrace/api';
import { call } from '../connection/client.ts';
import { idToCome, requestFor, type Request } from '../connection/request.ts';
import { consumerRequest, memberRequest } from '../members/queries.ts';
import { carryOut } from '../dialogs/queries.ts';
import { settingsOf, type Changed, type ChosenModel, type Draft } from './rules.ts';

type Queue = Schemas['Queue'];

/** A user with a role in the queue, or a role whose users work on its items. */
export interface Person {
  readonly id: Id;
  readonly name: string;
  /** For a user only. */
  readonly role?: 'OWNER' | 'MEMBER' | 'PARTICIPANT';
}

/** The queue to make. */
export interface NewQueue {
  readonly draft: Draft;
  readonly model: ChosenModel;
  readonly people: readonly Person[];
}

/**
 * Makes the model where it is a new one, then the queue, then its members.
 * @param onModel is told the id of a new model, so that another attempt makes no second one
 * @returns the id of the queue
 */
export async function createAll({ draft, model, people }: NewQueue, onModel: (id: Id) => void): Promise<Id> {
  const modelId = await modelOf(model);
  onModel(modelId);
  const { id = 0 } = await call('createQueue', queueOf(draft, modelId));
  await carryOut(people.map((person) => personRequest(id, person)));
  return id;
}

async function modelOf(model: ChosenModel): Promise<Id> {
  if (model.id !== undefined) return BigInt(model.id);
  return (await call('createWorkItemModel', newModelOf(model))).id ?? 0;
}

/** The same as it is shown, where nobody knows yet which ids there will be. */
export function createAllRequests({ draft, model, people }: NewQueue): Request[] {
  const isNew = model.id === undefined;
  const modelId = isNew ? idToCome('MODEL') : BigInt(model.id);
  return [
    ...(isNew ? [requestFor('createWorkItemModel', newModelOf(model))] : []),
    requestFor('createQueue', queueOf(draft, modelId)),
    ...people.map((person) => personRequest(idToCome('QUEUE'), person)),
  ];
}

function queueOf(draft: Draft, workItemModelId: Id): Call<'createQueue'> {
  return { body: { ...settingsOf(draft), name: draft.name.trim(), workItemModelId } };
}

function newModelOf({ name, drafts }: ChosenModel): Call<'createWorkItemModel'> {
  const attributes = drafts.map(({ name: attribute, type, isRequired, sensitivity }) => ({
    name: attribute.trim(),
    type,
    isRequired,
    ...(sensitivity && { sensitivity }),
  }));
  return { body: { name: name.trim(), attributes } };
}

function personRequest(queueId: Id, { id, role }: Person): Request {
  return role ? memberRequest(queueId, id, role) : consumerRequest(queueId, id);
}

/** The attributes that the server sees in a table, as it would on upload. */
export async function proposeAttributes(file: File): Promise<Output<'proposeWorkItemModel'>['attributes']> {
  const { attributes } = await call('proposeWorkItemModel', { query: {}, body: { file } });
  return attributes;
}

/** The request that saves settings at the version that the form was made from. */
export function saveRequest({ id = 0, version = 0 }: Queue, changes: readonly Changed[]): Request {
  const settings = Object.fromEntries(changes.map(({ member, after }) => [member, after]));
  return requestFor('updateQueue', { path: { id }, body: { version, ...settings } });
}

export function deleteRequest({ id = 0 }: Queue): Request {
  return requestFor('deleteQueue', { path: { id } });
}
