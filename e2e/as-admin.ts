import { parseJson } from '@millrace/api';
import { expect } from 'vitest';
import { startApp } from '../server/src/testing/app.ts';
import { createHome, millrace, type Ended } from './millrace.ts';

/** The attributes of the items of each queue. */
export const itemAttributes = [
  { name: 'customer' },
  { name: 'amount', type: 'NUMBER' as const, isRequired: false },
];

/** A server, and the command line of its administrator in a home. Each command is a process of its own, which takes seconds to start on a busy machine. */
export async function startAsAdmin() {
  const [home, app] = [createHome(), await startApp()];
  const { body } = await app.admin.createApiKey({ body: { name: 'command line' } });
  const env = { MILLRACE_URL: app.url, MILLRACE_USERNAME: 'admin', MILLRACE_API_KEY: String(body.apiKey) };
  return {
    home,
    app,
    env,
    /** Runs a command as the administrator. */
    asAdmin: (...args: string[]) => millrace(home, args, { env }),
    /** Creates a queue and a model of its own. */
    createQueue: async (name: string): Promise<{ id: number }> => {
      const made = await app.admin.createWorkItemModel({ body: { name, attributes: itemAttributes } });
      const queue = await app.admin.createQueue({ body: { name, workItemModelId: Number(made.body.id) } });
      expect(queue.status).toBe(200);
      return { id: Number(queue.body.id) };
    },
  };
}

export function expectEnd(ended: Ended, code: number): Ended {
  expect(ended.code, ended.stderr).toBe(code);
  // No terminal, so neither colour nor movement.
  expect(ended.stdout + ended.stderr).not.toContain('\u001b');
  return ended;
}

/** The JSON that a command answered. */
export const answerOf = (ended: Ended): unknown => parseJson(expectEnd(ended, 0).stdout);
