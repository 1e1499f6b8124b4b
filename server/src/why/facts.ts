import type { Id, Schemas, Status } from '@millrace/api';
import type { Reactivation, Scheme } from '../dispatch/rules.ts';

/** One answer to "why": the code for programs, the sentence for people, and the facts behind it. */
export type Reason = Schemas['Reason'];

/** The facts that decide whether the waiting items of a queue start. */
export interface QueueFacts {
  readonly queueId: Id;
  readonly status: 'ACTIVE' | 'INACTIVE';
  readonly archivedOn?: Date | undefined;
  readonly pause?: Pause | undefined;
  /** Items that could start now. */
  readonly waiting: number;
  /** Items that wait for their next try. */
  readonly backOff: Delayed;
  /** Deferred items. */
  readonly deferred: Delayed;
  readonly running: number;
  readonly pace: Pace;
  /** The automation that sends the queue to devices; of several, the one that is nearest to being active. */
  readonly automation?: AutomationFacts | undefined;
  /** Whether consumers that claim without an automation are at work on the queue. */
  readonly isClaimedFrom: boolean;
  /** Roles that may claim without an automation. */
  readonly consumerRoles: number;
  /** The facts that decide whether idle devices are started on the queue. */
  readonly reactivation: Reactivation;
  readonly runningOnDevices: number;
  /** Whether the caller may claim from the queue. */
  readonly mayProcess: boolean;
}

/** Items that cannot start before a time. */
export interface Delayed {
  readonly items: number;
  /** The time from which the first of them may start; undefined when none ever does by itself. */
  readonly nextOn?: Date | undefined;
}

export interface Pause {
  readonly by?: Id | undefined;
  readonly byName?: string | undefined;
  readonly on?: Date | undefined;
  readonly reason?: string | undefined;
  /** The time at which the queue goes on by itself. */
  readonly until?: Date | undefined;
}

/** Measurements of the recent minutes. */
export interface Pace {
  readonly minutes: number;
  /** Number of finished items. */
  readonly finished: number;
  /** Mean time from start to finish; undefined when nothing finished. */
  readonly handlingSeconds?: number | undefined;
}

export interface AutomationFacts {
  readonly id: Id;
  readonly name: string;
  readonly botName: string;
  readonly status: 'ACTIVE' | 'PAUSED' | 'STOPPED';
  readonly statusReason?: string | undefined;
  readonly statusByName?: string | undefined;
  readonly statusOn?: Date | undefined;
  /** Labels that a device must have. */
  readonly labels: readonly string[];
  readonly priority: number;
  readonly weight: number;
  readonly poolId: Id;
  readonly poolName: string;
  readonly scheme: Scheme;
  /** The run-as users of its bot; without any, they limit nothing. */
  readonly runAsUsers: readonly RunAsUserFacts[];
  /** The devices of its pool; none unless the automation is active. */
  readonly devices: readonly DeviceFacts[];
  /** Other automations with work for these devices. */
  readonly competing: readonly CompetingAutomation[];
}

/** A run-as user, and the item that the user works on. */
export interface RunAsUserFacts {
  readonly name: string;
  readonly isDisabled: boolean;
  readonly run?: RunFacts | undefined;
}

/** A running item; without its details when the caller may not see its automation. */
interface RunFacts {
  readonly itemId?: Id | undefined;
  readonly queueId?: Id | undefined;
  readonly automationId?: Id | undefined;
  readonly automationName?: string | undefined;
}

/** An active automation with waiting or running items. */
export interface CompetingAutomation {
  readonly poolId: Id;
  readonly botName: string;
  readonly labels: readonly string[];
  readonly priority: number;
  readonly weight: number;
}

/** A device of the automation's pool. */
export interface DeviceFacts {
  readonly id: Id;
  readonly name: string;
  readonly isConnected: boolean;
  readonly state: 'ACTIVE' | 'DRAINING' | 'QUARANTINED';
  readonly stateReason?: string | undefined;
  readonly labels: readonly string[];
  readonly bots: readonly string[];
  readonly slots: number;
  readonly busySlots: number;
  /** All pools with the device. */
  readonly poolIds: readonly Id[];
}

/** The facts of an item itself. */
export interface ItemFacts {
  readonly id: Id;
  readonly status: Status;
  readonly failureKind?: Schemas['WorkItem']['failureKind'];
  readonly error?: string | undefined;
  readonly retryCount: number;
  readonly retryLimit: number;
  /** Number of its expired leases in a row; at `lapseLimit` it fails, 0 means never. */
  readonly lapseCount?: number | undefined;
  readonly lapseLimit: number;
  /** NEW: in back-off until then. DEFERRED: deferred until then, for ever when undefined. */
  readonly notBefore?: Date | undefined;
  readonly startedOn?: Date | undefined;
  readonly endedOn?: Date | undefined;
  readonly leaseExpiresOn?: Date | undefined;
  readonly deviceName?: string | undefined;
  readonly holderName?: string | undefined;
  readonly cancelRequestedOn?: Date | undefined;
  readonly pointOfNoReturnOn?: Date | undefined;
  /** The user who gave the item its status; `changeReason` is the reason, where one was given. */
  readonly changedByName?: string | undefined;
  readonly changeReason?: string | undefined;
  /** Items that are granted before a waiting one, counted up to `mostAhead` and one more. */
  readonly ahead: number;
}

/** The number of items ahead of one up to which answers are exact. */
export const mostAhead = 10_000;
