import path from 'node:path';

/** A bug to be planted, and the test that has to see it. */
export interface Bug {
  /** The name of its patch as well, which stands beside this file. */
  readonly name: string;
  /** The broken behaviour, in a sentence. */
  readonly breaks: string;
  /** The file of the test, from the root of the repository. */
  readonly file: string;
  /** The title of the test, without those of its suites. */
  readonly title: string;
}

export const patchOf = ({ name }: Bug) => path.join(import.meta.dirname, `${name}.patch`);

export const bugs: readonly Bug[] = [
  {
    name: 'claim-order',
    breaks: 'A claim takes any of the items that wait, instead of the next in their order.',
    file: 'server/src/plans.test.ts',
    title: 'claimWorkItems grants items in their order',
  },
  {
    name: 'claim-lock',
    breaks: 'A claim chooses items without locking them, so that two claims choose the same.',
    file: 'server/src/plans.test.ts',
    title: 'claimWorkItems at two servers at once grants each item once, and neither waits for the other',
  },
  {
    name: 'mark-arrivals',
    breaks: 'What comes in below the low-water mark stays unseen as long as the mark lasts.',
    file: 'server/src/work-items/claim/low-water.test.ts',
    title: 'claimWorkItems gives an item of higher priority next at the server that it came to',
  },
  {
    name: 'automation-locks',
    breaks: 'Requests for work lock automations in any order, and wait for one another in a circle.',
    file: 'server/src/plans.test.ts',
    title: 'requestWork locks automations in the order of their ids',
  },
  {
    name: 'item-locks',
    breaks: 'Changes lock items in any order, and wait for one another in a circle.',
    file: 'server/src/plans.test.ts',
    title: 'updateWorkItemStatus locks items in the order of their ids',
  },
  {
    name: 'bulk-order',
    breaks: 'A change of many items takes its portions in any order, and leaves items out.',
    file: 'server/src/plans.test.ts',
    title: 'updateWorkItemStatus changes all that match a filter, portion by portion',
  },
  {
    name: 'page-order',
    breaks: 'Pages of a list have any order, so that items are on two pages or on none.',
    file: 'server/src/plans.test.ts',
    title: 'listWorkItems answers pages in the order that was asked for',
  },
  {
    name: 'chore-order',
    breaks: 'Chores take any of the items that are due, so that the oldest may wait for ever.',
    file: 'server/src/work-items/maintain/maintain.test.ts',
    title:
      'expireItems takes the oldest items first, comes again at once where a portion was full, and otherwise later',
  },
  {
    name: 'feed-order',
    breaks: 'The feed answers the events of a part in any order, so that readers go on behind the wrong one.',
    file: 'server/src/plans.test.ts',
    title: 'listEvents and listWorkItemEvents answer the oldest events first, part by part',
  },
  {
    name: 'own-clock',
    breaks: 'Each server works by its own clock, instead of that of the database.',
    file: 'server/src/engine/clock.test.ts',
    title:
      'claimWorkItems and heartbeatWorkItems give leases by the clock of the database, however wrong that of the server is',
  },
  {
    name: 'batch-rights',
    breaks: 'All callers in a batch have the rights of the first.',
    file: 'server/src/admission.test.ts',
    title: 'createWorkItems decides of each caller in a batch alone, whoever came first',
  },
  {
    name: 'async-commit',
    breaks: 'Work is acknowledged before it is on disk, and lost in a crash.',
    file: 'server/src/engine/durability.test.ts',
    title:
      'createWorkItems has on disk what it has acknowledged, though PostgreSQL is killed in that very moment',
  },
  {
    name: 'stale-report',
    breaks: 'A report counts though its lease is over and the item was claimed again.',
    file: 'server/src/work-items/finish/claim-and-finish.test.ts',
    title: 'finishWorkItems keeps a late report as evidence and lets it change nothing',
  },
  {
    name: 'live-lease',
    breaks: 'Items are taken from holders whose lease still runs.',
    file: 'server/src/work-items/maintain/leases.test.ts',
    title:
      'reclaimExpiredLeases looks seldom at very many items in progress, and takes those whose lease ends before it looks again, unless it was extended',
  },
  {
    name: 'uncounted-retry',
    breaks: 'Retries are not counted, so that an item that always fails is tried for ever.',
    file: 'server/src/work-items/finish/claim-and-finish.test.ts',
    title: 'finishWorkItems retries a technical failure behind the waiting items, up to the limit',
  },
  {
    name: 'duplicate-keys',
    breaks: 'The last item to claim a unique key gets it, so that duplicates come in.',
    file: 'server/src/duplicates/unique-keys.test.ts',
    title: 'createWorkItems, files and people who bring items back agree on one item for each unique key',
  },
  {
    name: 'completion-holder',
    breaks: 'Any consumer of a queue completes the items of another one.',
    file: 'server/src/work-items/finish/complete.test.ts',
    title:
      'finishWorkItems completes no item for somebody who does not hold it, though id and version are right',
  },
  {
    name: 'completion-guard',
    breaks: 'A completion looks at an item before it waits for it, and not afterwards.',
    file: 'server/src/work-items/finish/complete.test.ts',
    title: 'finishWorkItems completes no item that changes while it waits for it',
  },
];
