import { count } from '../messages/english.ts';
import { inLanguage } from '../messages/language.ts';
import { m as common } from '../messages/messages.ts';

const en = {
  automations: {
    title: 'Automations',
    total: (amount: number) => count(amount, 'automation', 'automations'),
    empty: 'There is no automation yet.',
    emptyText: 'An automation sends the items of a queue to the devices of a pool.',
    emptyOf: (queue: string) =>
      `You see no automation of ${queue}: its items go to no device, unless bots claim them.`,
    unseen: 'You see no automation.',
    unseenText:
      'Members and owners of a queue see its automations, and so do owners and consumers of a pool; all are seen with one of the permissions viewDevices, manageDevices, viewAllQueues and manageAllQueues. Ask somebody who manages users.',
    all: 'All automations',
    name: 'Automation',
    way: 'From, by, to',
    runAs: 'Works as',
    nobody: 'Nobody in particular',
    user: (id: string) => `user ${id}`,
    devices: 'Devices that suit',
    unseenDevices: 'For those who see its pool',
    state: 'State',
    queue: (id: string) => `queue ${id}`,
    pool: (id: string) => `pool ${id}`,
    states: { ACTIVE: 'Active', PAUSED: 'Paused', STOPPED: 'Stopped' },
    suited: (some: number, all: number) => `${some} of ${count(all, 'device', 'devices')}`,
    priorityOf: 'Priority',
    weightOf: 'Weight',
    labelsOf: 'Labels',
    tryOut: 'Try',
    tryOne: (name: string) => `Try ${name}`,
    tried: (name: string) => `Which device takes the next item of ${name}?`,
    device: 'Device',
    verdict: 'Why or why not',
    actions: (name: string) => `What can be done to ${name}`,
    mayNot:
      'For owners of its queue or its pool, and for those who may use both, with the permission runAutomations.',
    mayNotCreate: 'New automations need the permission runAutomations.',
    new: 'New automation',
    create: 'Create',
    edit: 'Edit',
    save: 'Save',
    pause: 'Pause',
    resume: 'Resume',
    delete: 'Delete',
    heading: (action: 'edit' | 'pause' | 'resume' | 'delete', name: string) =>
      `${{ edit: 'Edit', pause: 'Pause', resume: 'Resume', delete: 'Delete' }[action]} ${name}`,
    reason: 'Reason, for everybody who meets it',
    pauseEffect: (queue: string) =>
      `No further item of ${queue} goes to a device by it. What runs goes on to its end.`,
    resumeEffect: (queue: string) =>
      `Items of ${queue} go to devices by it again. A queue has one active automation at most.`,
    deleteEffect: (queue: string) =>
      `No further item of ${queue} goes to a device by it. It is refused while items run by it: pause it, and wait for them.`,
    editEffect: 'What runs goes on as it was begun; the next item goes by what is saved.',
    description: 'Description',
    fromQueue: 'Items of the queue',
    fromHint: 'Queues that you own or consume',
    toPool: 'To the devices of the pool',
    toHint: 'Pools that you own or consume',
    choose: '– choose –',
    bot: 'By the bot',
    botHint: 'As the agents of the devices know it',
    labels: 'On devices with the labels',
    labelsHint: 'All of them, with commas between; without any, on each that has the bot',
    priority: 'Priority, 0 to 9',
    priorityHint: 'In a pool that goes by priority, 9 comes first',
    weight: 'Weight, 1 to 100',
    weightHint: 'In a pool that goes by shares, its share against those of others',
    runAsHint: 'Each works on one item at a time. Without any, the slots of the devices alone are the limit.',
    notThem: 'Only somebody with the permission manageDevices may name others.',
    suitsNow: (some: number, all: number) =>
      `Of ${count(all, 'device', 'devices')} in the pool, ${some} ${some === 1 ? 'has' : 'have'} the bot and the labels.`,
  },
};

/** The texts of the automations page. */
export const m = { ...common, ...inLanguage({ en }) };
