import type { Id, Schemas } from '@millrace/api';
import {
  run,
  runAgent,
  runCommand,
  type AgentOptions,
  type CommandOptions,
  type Handler,
  type RunnerEvent,
  type RunOptions,
} from '@millrace/runner';
import { expect, onTestFinished } from 'vitest';
import type { App, TestUser } from '../server/src/testing/app.ts';

/** A user with an API key, as devices have. */
export interface BotUser {
  readonly user: TestUser;
  readonly username: string;
  readonly apiKey: string;
}

/** A queue with items, and their outcome. */
export interface Work {
  readonly queueId: Id;
  readonly name: string;
  readonly items: () => Promise<Schemas['WorkItem'][]>;
  /** The number of items in each status. */
  readonly statuses: () => Promise<Record<string, number>>;
  readonly events: (id: Id | undefined) => Promise<Schemas['WorkItemEvent'][]>;
}

export async function createBotUser(app: App, username: string): Promise<BotUser> {
  const user = await app.user(username, ['AAE_Bot Runner']);
  const { body } = await user.call.createApiKey({ body: { name: 'device' } });
  return { user, username, apiKey: String(body.apiKey) };
}

/** A queue of items with a number and a text, which the role of runners may process. */
export async function createWork(
  { admin }: App,
  name: string,
  items: { n: number; kind?: string }[],
  autoRetryLimit = 0,
): Promise<Work> {
  const attributes = [
    { name: 'n', type: 'NUMBER' as const },
    { name: 'kind', type: 'TEXT' as const, isRequired: false },
  ];
  const model = await admin.createWorkItemModel({ body: { name, attributes } });
  const body = { name, workItemModelId: Number(model.body.id), status: 'ACTIVE' as const, autoRetryLimit };
  const queueId = (await admin.createQueue({ body })).body.id as Id;
  const path = { id: queueId };
  const role = (await admin.listRoles()).body.list.find((one) => one.name === 'AAE_Bot Runner');
  await admin.addQueueConsumer({ path, body: { roleId: role?.id as Id } });
  const created = await admin.createWorkItems({ path, body: { workItems: items.map((json) => ({ json })) } });
  expect(created.body.list).toHaveLength(items.length);
  const sort = [{ field: 'id', direction: 'asc' }];
  const list = async () => (await admin.listWorkItems({ path, body: { sort } })).body.list;
  return {
    queueId,
    name,
    items: list,
    statuses: async () => count((await list()).map(({ status }) => String(status))),
    events: async (workItemId) => {
      const { body: timeline } = await admin.listWorkItemEvents({
        path: { id: queueId, workItemId: workItemId as Id },
      });
      return timeline.list;
    },
  };
}

export function numbered(items: number): { n: number }[] {
  return Array.from({ length: items }, (_, index) => ({ n: index + 1 }));
}

export function count(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** A runner in this process, which ends with the test at the latest. */
export function startBot<Json>(options: RunOptions, handler: Handler<Json>) {
  return watch((watching) => run({ ...options, ...watching }, handler));
}

export function startCommand(options: CommandOptions) {
  return watch((watching) => runCommand({ ...options, ...watching }));
}

/** The agent of a device, in this process. */
export function startAgent(options: AgentOptions) {
  return watch((watching) => runAgent({ ...options, ...watching }));
}

/** A promise that a test fulfils when it wants to. */
export function createGate(): { opened: Promise<void>; open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

type Watching = Pick<RunOptions, 'signal' | 'killSignal' | 'onEvent'>;

function watch<Result>(start: (watching: Watching) => Promise<Result>) {
  const [drain, kill] = [new AbortController(), new AbortController()];
  const events: RunnerEvent[] = [];
  onTestFinished(() => kill.abort());
  const onEvent = (event: RunnerEvent) => void events.push(event);
  const done = start({ signal: drain.signal, killSignal: kill.signal, onEvent });
  // A test that needs the result awaits `done`; a test that has failed already has said enough.
  done.catch(() => undefined);
  const drained = async () => {
    drain.abort();
    return done;
  };
  const seen = (type: RunnerEvent['type']) => events.filter((event) => event.type === type);
  return { events, seen, done, drained, kill: () => kill.abort() };
}
