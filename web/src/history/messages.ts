import { count, items, number } from '../messages/english.ts';
import { inLanguage } from '../messages/language.ts';
import { m as common } from '../messages/messages.ts';

const en = {
  history: {
    title: 'Over time',
    range: 'Time',
    ranges: { '1h': '1 hour', '24h': '24 hours', '7d': '7 days', '30d': '30 days', '12mo': '12 months' },
    spans: {
      60: 'minute',
      300: '5 minutes',
      900: '15 minutes',
      3600: 'hour',
      21_600: '6 hours',
      86_400: 'day',
    } as Readonly<Record<number, string>>,
    flow: (span: string) => `Came in, done and failed, per ${span}`,
    arrived: 'Came in',
    complete: 'Done',
    failed: 'Failed',
    flowSummary: (arrived: number, complete: number, failed: number) =>
      `${items(arrived)} came in, ${number(complete)} were done and ${number(failed)} failed.`,
    peak: (amount: number, on: string) => `Most came in at ${on}: ${number(amount)}.`,
    backlog: 'Waiting and in progress',
    waiting: 'Waiting',
    running: 'In progress',
    backlogSummary: (now: number, most: number, on: string) =>
      most > 0
        ? `${number(now)} wait now; at most ${number(most)} did, at ${on}.`
        : 'At the end of no span did any wait.',
    handling: (span: string) => `Handling time, mean per ${span}`,
    mean: 'Mean',
    handlingSummary: (mean: string, longest: string, on: string) =>
      `From claim to finish it took ${mean} on average; longest at ${on}, with a mean of ${longest}.`,
    seconds: (seconds: number) => `${number(seconds)} s`,
    cameIn: 'Items that came in then',
    ended: 'Items that ended then',
    young: (on: string) => `The queue is there since ${on}; hatched is what was before.`,
    none: 'Nothing came in, and nothing was finished.',
    sum: (some: number, all: number) =>
      some < all
        ? `The ${number(some)} queues with the most to do, of ${number(all)}, together.`
        : `${count(all, 'queue', 'queues')}, all together.`,
  },
};

/** What is said of what became of queues. */
export const m = { ...common, ...inLanguage({ en }) };
