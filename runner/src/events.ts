import type { Id, Schemas } from '@millrace/api';
import type { Report, WorkItem } from './item.ts';

export type DeviceState = Schemas['DeviceState']['state'];

/** Events of a runner, for its watchers. */
export type RunnerEvent =
  | { readonly type: 'connected'; readonly queueId: Id; readonly queue: string }
  /** The server knows the device and its bots. */
  | {
      readonly type: 'registered';
      readonly deviceId: Id;
      readonly hostName: string;
      readonly bots: readonly string[];
      readonly slots: number;
    }
  /** People have drained, quarantined or resumed the device. */
  | { readonly type: 'deviceState'; readonly state: DeviceState; readonly reason: string | undefined }
  | { readonly type: 'claimed'; readonly items: readonly WorkItem[] }
  | {
      readonly type: 'progress';
      readonly id: Id;
      readonly percent: number;
      readonly text: string | undefined;
    }
  | { readonly type: 'log'; readonly id: Id; readonly text: string }
  /** Output that belongs to no item, such as that of a process that waits for one. */
  | { readonly type: 'note'; readonly text: string }
  /** The handler has ended, and its report is on the way. */
  | {
      readonly type: 'finished';
      readonly report: Report;
      readonly seconds: number;
      /** The newest lines that the bot wrote, each of which was a `log` event. */
      readonly logTail: string;
    }
  /** The server has the report. A technical failure with retries left makes the item NEW again. */
  | { readonly type: 'reported'; readonly report: Report; readonly status: string | undefined }
  | {
      readonly type: 'reportRefused';
      readonly report: Report;
      readonly code: string;
      readonly message: string;
    }
  | { readonly type: 'leaseLost'; readonly id: Id; readonly code: string; readonly message: string }
  /** A person wants the item stopped; it is, and then reported as failed. */
  | { readonly type: 'cancelled'; readonly id: Id; readonly message: string }
  /** The server could not be told before the runner had to stop; the item comes back when its lease expires. */
  | { readonly type: 'unreported'; readonly report: Report }
  /** A call failed and is repeated. */
  | { readonly type: 'retrying'; readonly call: string; readonly message: string; readonly seconds: number }
  | { readonly type: 'draining'; readonly running: number; readonly reports: number }
  | { readonly type: 'stopped'; readonly summary: Summary };

/** The outcomes of a runner's items, counted. */
export interface Summary {
  readonly completed: number;
  readonly failedBusiness: number;
  readonly failedSystem: number;
  readonly deferred: number;
  /** Taken away while they were worked on. */
  readonly lost: number;
  /** Reported, and refused. */
  readonly refused: number;
  /** Given back before they were done. */
  readonly givenBack: number;
  /** Done, but the server could not be told before the runner had to stop. */
  readonly unreported: number;
}

export type Emit = (event: RunnerEvent) => void;

export const nothingDone: Summary = {
  completed: 0,
  failedBusiness: 0,
  failedSystem: 0,
  deferred: 0,
  lost: 0,
  refused: 0,
  givenBack: 0,
  unreported: 0,
};

/** The summary after one more event. */
export function addEvent(summary: Summary, event: RunnerEvent): Summary {
  const member = memberOf(event);
  return member === undefined ? summary : { ...summary, [member]: summary[member] + 1 };
}

function memberOf(event: RunnerEvent): keyof Summary | undefined {
  if (event.type === 'leaseLost') return 'lost';
  if (event.type === 'reportRefused') return 'refused';
  if (event.type === 'unreported') return event.type;
  if (event.type !== 'reported') return undefined;
  if (event.report.status === 'COMPLETE') return 'completed';
  if (event.report.status === 'DEFERRED') return 'deferred';
  if (event.report.status === 'NEW') return 'givenBack';
  return event.report.failureKind === 'BUSINESS' ? 'failedBusiness' : 'failedSystem';
}
