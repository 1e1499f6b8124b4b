import type { Schemas } from '@millrace/api';
import { expect } from 'vitest';
import type { App, Caller, TestUser } from './app.ts';
import { registerDevice } from './devices.ts';

/** A queue of credit applications with everybody who may have a part in it. */
export interface QueueFixture {
  readonly id: number;
  readonly owner: TestUser;
  readonly consumer: TestUser;
  /** The path parameters of its operations. */
  readonly path: { id: number };
  /** Creates items with these amounts in one call, and returns them. */
  add(...amounts: number[]): Promise<Schemas['WorkItem'][]>;
  /** Registers a device of the consumer, for claims that name one; returns its id. */
  device(): Promise<number>;
  /** Claims items as the consumer. */
  claim(count?: number, more?: Schemas['ClaimRequest']): Promise<Schemas['WorkItem'][]>;
}

let made = 0;

// Hashing a password takes longer than everything else in a test: the users of an application serve all its queues.
const people = new WeakMap<App, Promise<{ owner: TestUser; consumer: TestUser }>>();

async function createPeople(app: App) {
  return { owner: await app.user('owner'), consumer: await app.user('runner', ['AAE_Bot Runner']) };
}

/** Creates a model and a queue, with an owner and a consumer. */
export async function createQueue(
  app: App,
  settings: Partial<Schemas['NewQueue']> = {},
): Promise<QueueFixture> {
  made += 1;
  const name = `Applications ${made}`;
  const known = people.get(app) ?? createPeople(app);
  people.set(app, known);
  const { owner, consumer } = await known;
  const model = await createModel(owner.call, name);
  const created = await owner.call.createQueue({
    body: { name, workItemModelId: model, ...settings },
  });
  expect(created.status, JSON.stringify(created.error)).toBe(200);
  const path = { id: Number(created.body.id) };
  await owner.call.addQueueConsumer({ path, body: { roleId: await roleId(app, 'AAE_Bot Runner') } });
  const add = async (...amounts: number[]) => {
    const workItems = amounts.map((amount) => ({ json: { customer: `customer ${amount}`, amount } }));
    return (await owner.call.createWorkItems({ path, body: { workItems } })).body.list;
  };
  const device = async () => Number((await registerDevice(consumer)).id);
  const claim = async (count = 1, more = {}) =>
    (await consumer.call.claimWorkItems({ path, body: { count, ...more } })).body.list;
  return { id: path.id, owner, consumer, path, add, device, claim };
}

async function createModel(call: Caller, name: string): Promise<number> {
  const { body } = await call.createWorkItemModel({
    body: {
      name,
      attributes: [
        { name: 'customer', type: 'TEXT' },
        { name: 'amount', type: 'NUMBER', isRequired: false },
        { name: 'due', type: 'DATE', isRequired: false },
        { name: 'urgent', type: 'BOOLEAN', isRequired: false },
      ],
    },
  });
  return Number(body.id);
}

async function roleId(app: App, name: string): Promise<number> {
  const { body } = await app.admin.listRoles({
    body: { filter: { operator: 'eq', field: 'name', value: name } },
  });
  return Number(body.list[0]?.id);
}

/** Reads until the answer satisfies the condition; for the work of jobs, which run in their own time. */
export async function eventually<T>(read: () => Promise<T>, isDone: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await read();
    if (isDone(value)) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** An item as all calls answer it, without the names that only getWorkItem puts beside its ids. */
export function withoutNames(item: Schemas['WorkItem']): Schemas['WorkItem'] {
  const {
    createdByName: _,
    updatedByName: __,
    deviceName: ___,
    cancelRequestedByName: ____,
    ...others
  } = item;
  return others;
}
