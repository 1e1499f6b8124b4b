import type { Schemas } from '@millrace/api';
import { expect } from 'vitest';
import type { App, TestUser } from './app.ts';
import { createAutomation, createPool, registerDevice } from './devices.ts';
import { createQueue, type QueueFixture } from './fixtures.ts';

/** A device and its pool, to which the items of queues are sent. */
export interface DeviceFixture {
  readonly device: Schemas['Device'];
  readonly path: { id: number };
  /** Asks for work, and returns the items. */
  ask(request?: Schemas['WorkRequest']): Promise<Schemas['WorkItem'][]>;
}

/** Registers a device of the user that can run the bot of every automation. */
export async function createDevice(
  user: Pick<TestUser, 'call'>,
  more: Partial<Schemas['DeviceRegistration']> = {},
): Promise<DeviceFixture> {
  const device = await registerDevice(user, { bots: ['bot'], ...more });
  const path = { id: Number(device.id) };
  const ask = async (body = {}) => {
    const answer = await user.call.requestWork({ path, body });
    expect(answer.status, JSON.stringify(answer.error)).toBe(200);
    return answer.body.list;
  };
  return { device, path, ask };
}

/** A pool of these devices, and queues whose items go to it. */
export async function createLine(
  app: App,
  devices: readonly DeviceFixture[],
  { queues = 1, ...pool }: Partial<Schemas['NewPool']> & { queues?: number } = {},
  automation: (index: number) => Partial<Schemas['NewAutomation']> = () => ({}),
) {
  const made = await createPool(
    app,
    devices.map(({ device }) => device),
    pool,
  );
  const all: { readonly queue: QueueFixture; readonly automation: Schemas['Automation'] }[] = [];
  for (let index = 0; index < queues; index += 1) {
    const queue = await createQueue(app);
    all.push({ queue, automation: await createAutomation(app, queue, made, automation(index)) });
  }
  return { pool: made, lines: all };
}

/** Reports items as done, each in its queue, as the user. */
export async function complete(
  user: Pick<TestUser, 'call'>,
  items: readonly Schemas['WorkItem'][],
): Promise<void> {
  for (const { id, version, queueId } of items) {
    const results = [{ id: id as number, version: version as number, status: 'COMPLETE' as const }];
    const { body } = await user.call.finishWorkItems({ path: { id: Number(queueId) }, body: { results } });
    expect(body.list).toMatchObject([{ id, status: 'COMPLETE' }]);
  }
}
