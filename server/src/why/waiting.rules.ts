import { mostAhead, type ItemFacts, type Pace, type QueueFacts, type Reason } from './facts.ts';
import { because, count, counted, instant, span } from './words.ts';

type PaceFacts = Readonly<Record<string, unknown>>;

/** The queue when nothing keeps its items from starting. */
export function working(
  { waiting, running, pace }: QueueFacts,
  seconds: number | undefined,
  paceFacts: PaceFacts,
): Reason {
  const who = waiting === 1 ? 'it' : 'the last of them';
  const end =
    seconds === undefined || seconds === 0
      ? ''
      : ` At the pace of the last ${pace.minutes} minutes ${who} starts in about ${span(seconds)}.`;
  return {
    code: 'WORKING',
    sentence: `Nothing holds the queue up: ${counted(waiting, 'waits', 'wait')}, ${beingProcessed(running)}.${end}`,
    facts: { waiting, running, ...paceFacts },
  };
}

/** The queue when no item of it waits. */
export function empty({ running }: QueueFacts): Reason {
  const rest = running === 0 ? ' and nothing runs' : `; ${beingProcessed(running)}`;
  return { code: 'EMPTY', sentence: `Nothing waits${rest}.`, facts: { waiting: 0, running } };
}

function beingProcessed(running: number): string {
  return counted(running, 'is being processed', 'are being processed');
}

/** Items of the queue that wait for their next try, if there are any. */
export function queueBackOff({ backOff, waiting }: QueueFacts): Reason[] {
  const { items, nextOn } = backOff;
  if (items === 0) return [];
  const who = count(items, waiting > 0 ? 'more item' : 'item');
  const first = nextOn ? instant(nextOn) : 'a time';
  const sentence =
    items === 1
      ? `${who} waits until ${first} before its next try.`
      : `${who} wait for their next tries, the first until ${first}.`;
  return [{ code: 'BACK_OFF', sentence, facts: { items, nextOn } }];
}

/** Items of the queue that were put aside, if there are any. */
export function queueDeferred({ deferred }: QueueFacts): Reason[] {
  const { items, nextOn } = deferred;
  if (items === 0) return [];
  const them = items === 1 ? 'it' : 'them';
  const first = items === 1 ? '' : ', the next';
  const end = nextOn ? `${first} until ${instant(nextOn)}.` : ` without an end. Release ${them} to go on.`;
  const sentence = `${counted(items, 'is', 'are')} put aside${end}`;
  return [{ code: 'DEFERRED', sentence, facts: { items, nextOn } }];
}

/** Where an item stands that could start now. */
export function itemPlace(
  { ahead }: ItemFacts,
  { minutes }: Pace,
  seconds: number | undefined,
  paceFacts: PaceFacts,
): Reason {
  if (ahead === 0) {
    return {
      code: 'NEXT',
      sentence: 'It is the next item of the queue to be granted, as soon as somebody is free to take it.',
      facts: { ahead, ...paceFacts },
    };
  }
  const isMore = ahead > mostAhead;
  const [more, about] = isMore ? ['More than ', 'more than'] : ['', 'about'];
  const before = isMore ? mostAhead : ahead;
  const when =
    seconds === undefined
      ? ''
      : ` At the pace of the last ${minutes} minutes it starts in ${about} ${span(seconds)}.`;
  return {
    code: 'BEHIND',
    sentence: `${more}${counted(before, 'is', 'are')} to start before this one.${when}`,
    facts: { ...(isMore ? { aheadMoreThan: before } : { ahead }), ...paceFacts },
  };
}

/** That an item waits for its next try. */
export function itemBackOff({ notBefore, retryCount, retryLimit, error }: ItemFacts): Reason {
  const until = notBefore ? ` until ${instant(notBefore)}` : '';
  const said = error === undefined ? '' : ` It failed${because(firstLine(error))}.`;
  return {
    code: 'BACK_OFF',
    sentence: `It waits${until} before try ${retryCount + 1} of at most ${retryLimit + 1}.${said}`,
    facts: { notBefore, retryCount, autoRetryLimit: retryLimit, error },
  };
}

/** That holders of the item fell silent, which may be its fault. */
export function lapses({ lapseCount = 0, lapseLimit }: ItemFacts): Reason[] {
  if (lapseCount === 0) return [];
  const holders =
    lapseCount === 1 ? 'Its last holder' : `Its last ${lapseCount} holders, one after the other,`;
  const end = lapseLimit > 0 ? ` At ${lapseLimit} in a row it fails.` : '';
  const sentence = `${holders} fell silent, so it was started and came back.${end}`;
  return [{ code: 'LAPSED', sentence, facts: { lapseCount, lapseLimit } }];
}

/** As much of an error as a sentence bears. */
export function firstLine(text = ''): string {
  return text.split('\n', 1)[0]?.slice(0, 300) ?? '';
}
