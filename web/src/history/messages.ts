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
    oldest: 'How long the oldest item has waited',
    age: 'Oldest waiting',
    oldestSummary: (most: string, on: string) => `The oldest had waited for ${most} at most, at ${on}.`,
    noneWaits: 'None waits now.',
    noneWaited: 'None was seen to wait.',
    handling: (span: string) => `Handling time, per ${span}`,
    p50: 'Half took up to (p50)',
    p95: '95 in 100 took up to (p95)',
    mean: 'Mean',
    handlingMean: (mean: string) => `From claim to finish it took ${mean} on average.`,
    handlingParts: (p50: string, p95: string) =>
      `Half of the items took up to ${p50}, 95 in 100 up to ${p95}.`,
    handlingLongest: (p95: string, on: string) => `Longest at ${on}: 95 in 100 up to ${p95}.`,
    estimated: (share: number) =>
      `p50 and p95 are estimated from counts of times that are alike, and at most ${number(100 * share)} % off.`,
    seconds: (seconds: number) => `${number(seconds)} s`,
    cameIn: 'Items that came in then',
    ended: 'Items that ended then',
    young: (on: string) => `The queue is there since ${on}; hatched is what was before.`,
    done: 'What was done',
    nothingDone: 'Nobody paused the queue, changed its model or put in a file.',
    moreDone: (amount: number) => `These are the newest ${number(amount)}; there are more.`,
    allDone: 'All that was done to the queue',
    sentence: (who: string, did: string, reason: string) =>
      `${who} ${did}${reason === '' ? '' : `: ${reason}`}`.replace(/(?<![.!?])$/, '.'),
    paused: (until: string | undefined) =>
      until === undefined ? 'paused the queue' : `paused the queue until ${until}`,
    resumed: 'resumed the queue',
    letGoOn: 'let the queue go on',
    modelChanged: (version: number | undefined) =>
      version === undefined ? 'changed the model' : `changed the model, to version ${version}`,
    uploaded: (name: string, created: number) => `put in the file ${name}, ${items(created)}`,
    undone: (amount: number) => `undid an upload of ${items(amount)}`,
    none: 'Nothing came in, and nothing was finished.',
    sum: (some: number, all: number) =>
      some < all
        ? `The ${number(some)} queues with the most to do, of ${number(all)}, together.`
        : `${count(all, 'queue', 'queues')}, all together.`,
  },
};

/** The texts of the history pages. */
export const m = { ...common, ...inLanguage({ en }) };
