import { describe, expect, it } from 'vitest';
import { startApp } from '../../testing/app.ts';

const app = await startApp();

describe('deleteUser of the last owner of queues', () => {
  it('deleteUser names no queue that the caller does not see, and counts no other owner who is disabled', async () => {
    await app.admin.createRole({
      body: { name: 'Owners', permissions: ['useQueues', 'createQueues', 'viewUsers', 'manageUsers'] },
    });
    const [owner, other, caller] = [
      await app.user('owns alone', ['Owners']),
      await app.user('owns as well', ['Owners']),
      await app.user('manages people', ['Owners']),
    ];
    const made: number[] = [];
    for (const name of ['Hidden from them', 'Shown to them']) {
      const model = await owner.call.createWorkItemModel({ body: { name, attributes: [{ name: 'x' }] } });
      const body = { name, workItemModelId: Number(model.body.id) };
      made.push(Number((await owner.call.createQueue({ body })).body.id));
    }
    const [hidden = 0, shown = 0] = made;
    const remove = async () => {
      const { status, error } = await caller.call.deleteUser({ path: { id: owner.id } });
      return [status, error?.message, error?.details?.length];
    };
    expect(await remove()).toEqual([
      409,
      expect.stringContaining('last owner of 2 queues that you do not see.'),
      0,
    ]);
    const add = (id: number, userId: number, role: 'OWNER' | 'PARTICIPANT') =>
      owner.call.addOrUpdateQueueMember({ path: { id, userId }, body: { role } });
    await add(shown, caller.id, 'PARTICIPANT');
    expect(await remove()).toEqual([409, expect.stringContaining('owner of Shown to them and 1 more.'), 1]);
    for (const id of [hidden, shown]) await add(id, other.id, 'OWNER');
    await app.admin.disableUser({ path: { id: other.id } });
    expect((await remove())[0]).toBe(409);
    await app.admin.enableUser({ path: { id: other.id } });
    expect((await caller.call.deleteUser({ path: { id: owner.id } })).status).toBe(204);
  });
});
