import { count, number } from '../messages/english.ts';
import { inLanguage } from '../messages/language.ts';
import { m as common } from '../messages/messages.ts';

const en = {
  queues: {
    title: 'Queues',
    newQueue: 'New queue',
    mayNotCreate: 'New queues need the permission createQueues.',
    tabs: 'Parts of the queue',
    items: 'Items',
    activity: 'Activity',
    charts: 'Charts',
    level: 'Service level',
    upload: 'Upload',
    members: 'Members',
    settings: 'Settings',
    automations: 'Automations',
    all: 'All',
    filter: 'Find a queue by name',
    empty: 'There is no queue yet.',
    emptyText: 'A queue holds work items of one model. Make one with the API or the command line:',
    noMatch: (text: string) => `No queue has “${text}” in its name.`,
    clear: 'Clear',
    name: 'Name',
    state: 'State',
    counts: 'Items',
    waiting: 'Waiting',
    running: 'Running',
    failed: 'Failed',
    inDoubt: 'In doubt',
    deferred: 'Deferred',
    done: 'Done',
    rate: 'Done / min',
    trend: '2 hours',
    trendText: (peak: number, last: number) =>
      `Done in five minutes over two hours: at most ${number(peak)}, last ${number(last)}`,
    oldest: 'Oldest waiting',
    mayNotPause: 'Only owners and queue admins may pause or resume.',
    active: 'Active',
    paused: 'Paused',
    archived: 'Archived',
    pausedBy: (name: string, reason: string) =>
      reason ? `Paused by ${name}: ${reason}` : `Paused by ${name}`,
    pausedUntil: (time: string) => `until ${time}`,
    pausedForGood: 'until somebody resumes it',
    goesOnIn: (time: string) => `goes on in ${time}`,
    pause: 'Pause',
    pauseText:
      'Nothing is granted from the queue until it goes on. What is in progress may be finished, and items can still be added.',
    pauseEnd: 'Until (left empty: until somebody resumes it)',
    resume: 'Resume',
    resumeText: 'Items are granted again at once.',
    reason: 'Reason, for the others',
    why: 'Why',
    expected: (time: string) => `Of those that wait now, the last is expected to start at ${time}.`,
    /** What is told of the facts of a reason beside its sentence. */
    reasonFacts: {
      since: 'Since',
      until: 'Until',
      nextOn: 'The first of them',
      automationId: 'Automation',
      poolId: 'Pool',
      deviceIds: 'Devices',
      disconnectedDeviceIds: 'Not connected',
      heldDeviceIds: 'Held',
    },
    remedies: {
      items: 'Show these items',
      automation: 'Open the automation',
      automations: 'Open the automations',
      device: 'Open the device',
      devices: 'Open the devices',
      pool: 'Open the pool',
    },
    total: (amount: number) => count(amount, 'queue', 'queues'),
  },
};

/** What the pages of queues say. */
export const m = { ...common, ...inLanguage({ en }) };
