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

/** What becomes of the items that are taken from a device; empty where there are none. */
function taken({ back, inDoubt, failed }: Fates): string {
  const some = (amount: number, before: number) => (before > 0 ? String(amount) : items(amount));
  const parts = [
    back > 0 ? `${items(back)} ${back === 1 ? 'goes' : 'go'} back` : '',
    inDoubt > 0 ? `${some(inDoubt, back)} will be in doubt` : '',
    failed > 0 ? `${some(failed, back + inDoubt)} will fail, as cancelled` : '',
  ];
  return parts.filter((part) => part !== '').join(', ');
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
    quarantineEffect: (fates: Fates) =>
      `It gets no further item, and what it runs is taken from it at once: ${taken(fates) || 'nothing runs on it'}.`,
    resumeEffect: 'It gets items again.',
    choose: (name: string) => `Choose ${name}`,
    chosen: (amount: number) => count(amount, 'device chosen', 'devices chosen'),
    chooseNone: 'Choose none',
    many: (action: 'drain' | 'quarantine' | 'resume', amount: number) =>
      `${{ drain: 'Drain', quarantine: 'Quarantine', resume: 'Resume' }[action]} ${number(amount)}`,
    leftOut: (amount: number) =>
      `${count(amount, 'chosen device stays', 'chosen devices stay')} as it is: its state does not allow this, or you may not.`,
    drainManyEffect: (running: number) =>
      running === 0
        ? 'They get no further item. Nothing runs on them.'
        : `They get no further item. What they run goes on to its end: ${items(running)}.`,
    quarantineManyEffect: (fates: Fates) =>
      `They get no further item, and what they run is taken from them at once: ${taken(fates) || 'nothing runs on them'}.`,
    resumeManyEffect: 'They get items again.',
    inPool: 'Pool',
    allPools: 'All pools',
    noneInPool: 'No device is in this pool.',
    percent: (part: number) => `${number(part)} % done`,
    version: (version: string) => `agent ${version}`,
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
