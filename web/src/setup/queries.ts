import type { Id, Output, Schemas } from '@millrace/api';
import { call } from '../connection/client.ts';
import { requestFor, type Request } from '../connection/request.ts';
import { readAnew } from '../live/effects.ts';
import { settingsOf, type Changed, type ChosenModel, type Draft } from './rules.ts';

type Queue = Schemas['Queue'];

/** A user with a role in the queue, or a role whose users work on its items. */
export interface Person {
  readonly id: Id;
  readonly name: string;
  /** Of a user. */
  readonly role?: 'OWNER' | 'MEMBER' | 'PARTICIPANT';
}

/** What is made. */
export interface NewQueue {
  readonly draft: Draft;
  readonly model: ChosenModel;
  readonly people: readonly Person[];
}

/**
 * Makes the model where it is a new one, then the queue, then who belongs to it. Answers the id of the queue.
 * @param onModel hears the id of a new model, so that another attempt makes no second one
 */
export async function createAll({ draft, model, people }: NewQueue, onModel: (id: Id) => void): Promise<Id> {
  const workItemModelId = model.id === undefined ? await createModel(model) : BigInt(model.id);
  onModel(workItemModelId);
  const queue = await call('createQueue', {
    body: { ...settingsOf(draft), name: draft.name.trim(), workItemModelId },
  });
  const path = { id: queue.id ?? 0 };
  for (const { id, role } of people)
    await (role
      ? call('addOrUpdateQueueMember', { path: { ...path, userId: id }, body: { role } })
      : call('addQueueConsumer', { path, body: { roleId: id } }));
  await readAnew();
  return path.id;
}

async function createModel({ name, drafts }: ChosenModel): Promise<Id> {
  const attributes = drafts.map(({ name: attribute, type, isRequired, sensitivity }) => ({
    name: attribute.trim(),
    type,
    isRequired,
    ...(sensitivity && { sensitivity }),
  }));
  return (await call('createWorkItemModel', { body: { name: name.trim(), attributes } })).id ?? 0;
}

/** The attributes that the server sees in a table, as it would when it is uploaded. */
export async function proposeAttributes(file: File): Promise<Output<'proposeWorkItemModel'>['attributes']> {
  const { attributes } = await call('proposeWorkItemModel', { query: {}, body: { file } });
  return attributes;
}

/** Saves settings at the version that the form was made of. */
export function saveRequest({ id = 0, version = 0 }: Queue, changes: readonly Changed[]): Request {
  const settings = Object.fromEntries(changes.map(({ member, after }) => [member, after]));
  return requestFor('updateQueue', { path: { id }, body: { version, ...settings } });
}

/** Archives a queue, or restores one that is archived. */
export function archiveRequest({ id = 0, archived }: Queue, reason: string): Request {
  const input = { path: { id }, body: reason === '' ? {} : { reason } };
  return requestFor(archived ? 'restoreQueue' : 'archiveQueue', input);
}

export function deleteRequest({ id = 0 }: Queue): Request {
  return requestFor('deleteQueue', { path: { id } });
}
