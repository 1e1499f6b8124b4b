import { count, items, number } from '../messages/english.ts';
import { inLanguage } from '../messages/language.ts';
import { m as common } from '../messages/messages.ts';

/** The numbers of items by what becomes of them, worded as parts of a sentence. */
interface Fates {
  readonly back: number;
  readonly inDoubt: number;
  readonly failed: number;
}

function percent(some: number, all: number): string {
  return `${number((100 * some) / all)} %`;
}

const en = {
  devices: {
    title: 'Devices',
    filter: 'Find a device by name, label, bot or state',
    total: (amount: number) => count(amount, 'device', 'devices'),
    empty: 'No device has registered yet.',
    emptyText:
      'A device is a machine on which an agent runs bots. It logs in by an API key of a runner. Start one:',
    keys: 'Make an API key',
    unseen: 'You see no device.',
    unseenText:
      'Owners of a pool and users of the roles that consume it see its devices; all are seen with the permission viewDevices or manageDevices. Ask somebody who manages users.',
    edit: 'Edit',
    editOf: (name: string) => `Edit ${name}`,
    save: 'Save',
    nickname: 'Nickname',
    nicknameHint: (hostName: string) => `Without one it is shown as ${hostName}`,
    labelsHint:
      'What automations may ask of it, with commas between. An agent that names labels itself sets them anew when it starts.',
    delete: 'Delete',
    deleteOf: (name: string) => `Delete ${name}`,
    deleteEffect: (running: number) =>
      running === 0
        ? 'It leaves its pools. An agent that still runs on it registers it anew.'
        : `It is refused as long as something runs on it: ${items(running)}. Drain it and wait, or quarantine it.`,
    mayNotEdit: 'Only users with the permission manageDevices may edit or delete a device.',
    noMatch: (text: string) => `No device has “${text}” in its name, labels, bots or state.`,
    clear: 'Clear',
    withoutPool: 'In no pool',
    conditions: {
      quarantined: 'Quarantined',
      draining: 'Draining',
      lost: 'Not connected',
      busy: 'Busy',
      free: 'Connected',
    },
    drained: 'Drained: nothing runs any more',
    drainedLost: 'Drained, not connected',
    slots: (busy: number, all: number) => `${busy} of ${count(all, 'slot', 'slots')} busy`,
    item: (id: string, bot: string, queue: string) => `Item ${id} of ${queue}, by ${bot}`,
    itemOf: (id: string, queue: string) => `item ${id} of ${queue}`,
    hiddenItem: (bot: string) => `An item that you may not see, by ${bot}`,
    labels: 'Labels',
    bots: 'Bots',
    agent: 'Agent',
    lastSeen: 'Last heard of',
    runsNow: 'Runs now',
    nothingRuns: 'Nothing runs on it.',
    outcomes: 'Outcomes in 24 hours',
    outcome: (failed: number, all: number) =>
      `It failed ${percent(failed, all)} of ${count(all, 'attempt', 'attempts')}`,
    othersOutcome: (failed: number, all: number) =>
      all === 0 ? 'others had none.' : `others ${percent(failed, all)} of ${number(all)}.`,
    noOutcome: 'Nothing has ended on it that you may see.',
    outcomesSince: (amount: number, time: string) =>
      `Counted are the newest ${number(amount)} of all devices, since ${time}.`,
    happened: 'What happened to it',
    drain: 'Drain',
    quarantine: 'Quarantine',
    resume: 'Resume',
    actions: (name: string) => `What can be done to ${name}`,
    heading: (action: 'drain' | 'quarantine' | 'resume', name: string) =>
      `${{ drain: 'Drain', quarantine: 'Quarantine', resume: 'Resume' }[action]} ${name}`,
    reason: 'Reason, for everybody who meets it',
    drainEffect: (running: number) =>
      running === 0
        ? 'It gets no further item. Nothing runs on it.'
        : `It gets no further item. What it runs goes on to its end: ${items(running)}.`,
    quarantineEffect: ({ back, inDoubt, failed }: Fates) => {
      const some = (amount: number, before: number) => (before > 0 ? String(amount) : items(amount));
      const parts = [
        back > 0 ? `${items(back)} ${back === 1 ? 'goes' : 'go'} back` : '',
        inDoubt > 0 ? `${some(inDoubt, back)} will be in doubt` : '',
        failed > 0 ? `${some(failed, back + inDoubt)} will fail, as cancelled` : '',
      ].filter((part) => part !== '');
      const what = parts.length === 0 ? 'nothing runs on it' : parts.join(', ');
      return `It gets no further item, and what it runs is taken from it at once: ${what}.`;
    },
    resumeEffect: 'It gets items again.',
    thisOne: 'this device',
    older: 'Older ones are among the events.',
    mayNot: 'For owners of its pools, and for pool admins.',
    runners: 'This is a runner’s account',
    runnersText:
      'It runs devices, and works on what they are sent. People log in as themselves: whoever manages users can give them roles of their own.',
    own: 'Its devices',
    ownKeys: 'Its API keys',
  },
};

/** The texts of the device pages. */
export const m = { ...common, ...inLanguage({ en }) };
