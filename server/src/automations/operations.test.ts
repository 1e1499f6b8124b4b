import { beforeAll, describe, expect, it } from 'vitest';
import { startApp, type App } from '../testing/app.ts';
import { createAutomation, createPool } from '../testing/devices.ts';
import { createQueue } from '../testing/fixtures.ts';

let app: App;

beforeAll(async () => {
  app = await startApp();
});

describe('createAutomation', () => {
  it('createAutomation fills in what is left out', async () => {
    const [queue, pool] = [await createQueue(app), await createPool(app, [])];
    const automation = await createAutomation(app, queue, pool);
    expect(automation).toMatchObject({
      queueId: queue.id,
      poolId: pool.id,
      description: '',
      labels: [],
      priority: 4,
      weight: 1,
      status: 'ACTIVE',
      runAsUserIds: [],
      version: 0,
    });
    expect(automation).not.toHaveProperty('statusReason');
  });
});
