import type { Id, Schemas } from '@millrace/api';

/** A part of the way of items, in the order in which they go. */
export const parts = ['queue', 'automation', 'pool', 'devices'] as const;
export type Part = (typeof parts)[number];

type Verdict = Schemas['DeviceVerdict'];
type Code = Schemas['Reason']['code'] | Verdict['code'];

/** The reason why the next item stays at a part of its way. */
export interface Stop {
  readonly sentence: string;
  /** `stops` until somebody acts, `waits` until something is done, `rests` where there is nothing to send. */
  readonly kind: 'stops' | 'waits' | 'rests';
}

const stops: Partial<Record<Code, readonly [Part, Stop['kind']]>> = {
  QUEUE_ARCHIVED: ['queue', 'stops'],
  QUEUE_PAUSED: ['queue', 'stops'],
  NOTHING_WAITS: ['queue', 'rests'],
  EMPTY: ['queue', 'rests'],
  THRESHOLD: ['queue', 'waits'],
  NO_AUTOMATION: ['automation', 'stops'],
  AUTOMATION_PAUSED: ['automation', 'stops'],
  AUTOMATION_STOPPED: ['automation', 'stops'],
  RUN_AS_USERS_DISABLED: ['automation', 'stops'],
  RUN_AS_USERS_TAKEN: ['automation', 'waits'],
  NO_DEVICE_CONNECTED: ['devices', 'stops'],
  NO_DEVICE_WITH_LABELS: ['devices', 'stops'],
  NO_DEVICE_WITH_BOT: ['devices', 'stops'],
  DEVICES_HELD: ['devices', 'stops'],
  SLOTS_BUSY: ['devices', 'waits'],
};

const passing: ReadonlySet<Code> = new Set(['SLOTS_BUSY', 'OTHER_FIRST']);

interface Told {
  readonly code: Code;
  readonly sentence: string;
}

/** The reasons that concern an automation: a queue is explained by one of its automations alone. */
export function reasonsOn<R extends Pick<Schemas['Reason'], 'facts'>>(
  id: Id | undefined,
  reasons: readonly R[],
): R[] {
  return reasons.filter(({ facts }) => {
    const about = facts?.['automationId'] as Id | undefined;
    return about === undefined || String(about) === String(id);
  });
}

/**
 * The reasons why items stay at the parts of their way.
 * @param reasons the most decisive first: of several at one part, that is told, and that it rests only where nothing else is
 * @param verdicts on the devices of the pool
 */
export function stopsOn(reasons: readonly Told[], verdicts: readonly Verdict[]): Partial<Record<Part, Stop>> {
  const found: Partial<Record<Part, Stop>> = {};
  for (const { code, sentence } of reasons) {
    const [part, kind] = code === 'NO_DEVICE' ? withoutDevice(verdicts) : (stops[code] ?? []);
    if (!part || !kind) continue;
    const isNews = kind !== 'rests' && found[part]?.kind === 'rests';
    if (!found[part] || isNews) found[part] = { sentence, kind };
  }
  return found;
}

/** No device takes the next item: there is none, or all are as they are judged. A free one keeps nothing. */
function withoutDevice(verdicts: readonly Verdict[]): readonly [Part, Stop['kind']] | readonly [] {
  if (verdicts.length === 0) return ['pool', 'stops'];
  if (verdicts.some(({ code }) => code === 'FREE')) return [];
  return ['devices', verdicts.some(({ code }) => passing.has(code)) ? 'waits' : 'stops'];
}

/** Devices of which the same is to be said. */
export interface Judged {
  readonly sentence: string;
  readonly devices: readonly Verdict[];
}

/** The devices by what is said of them, in their order. */
export function judgedAlike(verdicts: readonly Verdict[]): Judged[] {
  return [...new Set(verdicts.map(({ sentence }) => sentence))].map((sentence) => ({
    sentence,
    devices: verdicts.filter((one) => one.sentence === sentence),
  }));
}
