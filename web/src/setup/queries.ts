import type { Call, Id, Output, Schemas } from '@millrace/api';
import { call } from '../connection/client.ts';
import { idToCome, requestFor, type Request } from '../connection/request.ts';
import { consumerRequest, memberRequest } from '../members/queries.ts';
import { carryOut } from '../dialogs/queries.ts';
import { m } from './messages.ts';
import { settingsOf, type Changed, type ChosenModel, type Draft } from './rules.ts';

type Queue = Schemas['Queue'];

/** A user with a role in the queue, or a role whose users work on its items. */
export interface Person {
  readonly id: Id;
  readonly name: string;
  /** For a user only. */
  readonly role?: 'OWNER' | 'MEMBER' | 'PARTICIPANT';
}

/** The parts of a new queue that exist after an attempt which did not get to its end. */
export interface Made {
  readonly id: Id;
  /** Those who belong to it already. */
  readonly people: readonly Person[];
}

/** The queue to make. */
export interface NewQueue {
  readonly draft: Draft;
  readonly model: ChosenModel;
  readonly people: readonly Person[];
  /** Undefined until the queue itself is made. */
  readonly made: Made | undefined;
}

/** Told what is made, so that another attempt goes on from there. */
export interface Told {
  readonly onModel: (id: Id) => void;
  readonly onQueue: (id: Id) => void;
  readonly onPerson: (person: Person) => void;
}

/**
 * Makes the model where it is a new one, then the queue, then its members: what is not made yet.
 * @returns the id of the queue
 * @throws Error that names the person where the rest is made
 */
export async function createAll(queue: NewQueue, told: Told): Promise<Id> {
  const { people, made } = queue;
  const id = made?.id ?? (await makeQueue(queue, told));
  for (const person of restOf(people, made)) {
    await carryOut([personRequest(id, person)]).catch(({ message }: Error) => {
      throw new Error(m.setup.notAdded(person.name, message));
    });
    told.onPerson(person);
  }
  return id;
}

async function makeQueue({ draft, model }: NewQueue, { onModel, onQueue }: Told): Promise<Id> {
  const isNew = model.id === undefined;
  const modelId = isNew ? await make(requestFor('createWorkItemModel', newModelOf(model))) : BigInt(model.id);
  if (isNew) onModel(modelId);
  const id = await make(requestFor('createQueue', queueOf(draft, modelId)));
  onQueue(id);
  return id;
}

/** Makes what a request asks for. @returns its id */
async function make(request: Request): Promise<Id> {
  const [answer] = await carryOut([request]);
  return (answer as { readonly id?: Id }).id ?? 0;
}

const restOf = (people: readonly Person[], made: Made | undefined) =>
  people.filter((one) => !made?.people.includes(one));

/** The same as it is shown, where nobody knows yet which ids there will be. */
export function createAllRequests({ draft, model, people, made }: NewQueue): Request[] {
  if (made) return restOf(people, made).map((person) => personRequest(made.id, person));
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

/** The queue as it is now. */
export function queueRequest({ id = 0 }: Queue): Request {
  return requestFor('getQueue', { path: { id } });
}

export function deleteRequest({ id = 0 }: Queue): Request {
  return requestFor('deleteQueue', { path: { id } });
}
