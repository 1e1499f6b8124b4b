import { acts } from '../messages/acts.ts';
import { count, items, number } from '../messages/english.ts';
import { inLanguage } from '../messages/language.ts';
import { m as queues } from '../queues/messages.ts';

const en = {
  overview: {
    title: 'Overview',
    needs: 'Needs a person',
    nothing: 'Nothing needs a person.',
    lookedAt: (known: number, all: number) =>
      `${number(known)} of ${count(all, 'queue', 'queues')} that stand still looked at.`,
    doubts: (amount: number, queue: string) =>
      `${items(amount)} in ${queue} ${amount === 1 ? 'is' : 'are'} in doubt: find out whether the work was done`,
    lostWithItems: (device: string, amount: number) =>
      `${device} is not connected any more and holds ${items(amount)}`,
    lost: (device: string) => `${device} is not connected`,
    quarantined: (device: string, reason: string) =>
      `${device} is quarantined${reason === '' ? '' : `: ${reason}`}`,
    queue: (queue: string, sentence: string) => `${queue}: ${sentence}`,
    BROKEN: (queue: string, sentence: string) => `${queue}: the service level is broken. ${sentence}`.trim(),
    AT_RISK: (queue: string, sentence: string) =>
      `${queue}: the service level is at risk. ${sentence}`.trim(),
    failures: (amount: number, isMore: boolean, where: string, cause: string) =>
      `${isMore ? 'More than ' : ''}${items(amount)} in ${where} failed for a new cause: ${cause}`,
    moreNeeds: (amount: number) => `${number(amount)} more, less urgent or younger.`,
    runAs: (automation: string) =>
      `All run-as users of the automation ${automation} are disabled: no item of it can start`,
    openAutomation: 'Open automation',
    openLevel: 'Open service level',
    openFailures: 'Repair',
    settle: 'Settle',
    openQueue: 'Open queue',
    openDevice: 'Open device',
    queues: 'Queues',
    more: (amount: number) => count(amount, 'further queue', 'further queues'),
    noQueues: 'There is no queue yet.',
    sort: 'Worst first',
    queueName: 'Queue',
    state: 'State',
    counts: 'Items',
    recent: 'Last 15 min',
    oldest: 'Oldest waiting',
    end: 'Expected end',
    done: 'done',
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
    first: (amount: number) => `These are the first ${number(amount)}; the rest is in the events.`,
    looking: (amount: number) => `Still looking: through some ${number(amount)} events so far.`,
    events: 'Events',
    born: (amount: number, isMore: boolean, where: string, cause: string) =>
      `New failures, ${isMore ? 'more than ' : ''}${items(amount)} in ${where}: ${cause}`,
    line: (who: string, operation: string, what: string, reason: string) =>
      `${who} ${acts.did(operation)} ${what}`.trim() + (reason === '' ? '' : `: ${reason}`),
    millrace: 'Millrace',
    device: (id: string) => `device ${id}`,
  },
};

/** The texts of the overview. */
export const m = { ...queues, ...inLanguage({ en }) };
