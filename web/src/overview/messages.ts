import { acts } from '../messages/acts.ts';
import { count, items, number } from '../messages/english.ts';
import { inLanguage } from '../messages/language.ts';
import { m as queues } from '../queues/messages.ts';

const en = {
  overview: {
    title: 'Overview',
    needs: 'Needs a person',
    nothing: 'Nothing needs a person.',
    doubts: (amount: number, queue: string) =>
      `${items(amount)} in ${queue} ${amount === 1 ? 'is' : 'are'} in doubt: find out whether the work was done`,
    lostWithItems: (device: string, amount: number) =>
      `${device} is not connected any more and holds ${items(amount)}`,
    lost: (device: string) => `${device} is not connected`,
    quarantined: (device: string, reason: string) =>
      `${device} is quarantined${reason === '' ? '' : `: ${reason}`}`,
    queue: (queue: string, sentence: string) => `${queue}: ${sentence}`,
    settle: 'Settle',
    openQueue: 'Open queue',
    openDevice: 'Open device',
    openDevices: 'Open devices',
    openAutomations: 'Open automations',
    queues: 'Queues',
    more: (amount: number) => count(amount, 'further queue', 'further queues'),
    noQueues: 'There is no queue yet.',
    queueName: 'Queue',
    state: 'State',
    counts: 'Items',
    recent: 'Last 15 min',
    lately: (complete: number, failed: number) => `${number(complete)} done, ${number(failed)} failed`,
    oldest: 'Oldest waiting',
    fleet: 'Devices',
    noFleet: 'No device has registered yet.',
    square: (device: string, condition: string) => `${device}: ${condition}`,
    since: 'Since you looked',
    firstTime: 'From now on, what happens until you look again is told here.',
    quiet: 'Nothing that anybody would have to be told of.',
    seen: 'I have looked',
    handOver: 'Hand over',
    copied: 'Copied.',
    print: 'Print',
    more200: 'These are the first 200; the rest is in the events.',
    line: (who: string, operation: string, what: string, reason: string) =>
      `${who} ${acts.did(operation)} ${what}`.trim() + (reason === '' ? '' : `: ${reason}`),
    millrace: 'Millrace',
    device: (id: string) => `device ${id}`,
  },
};

/** What the overview says. */
export const m = { ...queues, ...inLanguage({ en }) };
