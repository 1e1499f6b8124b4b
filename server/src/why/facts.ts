import type { Id, Schemas, Status } from '@millrace/api';
import type { Reactivation, Scheme } from '../dispatch/rules.ts';

/** One answer to "why": the code for programs, the sentence for people, and what it rests on. */
export type Reason = Schemas['Reason'];

/** All that decides whether the waiting items of a queue start, as it was read in one moment. */
export interface QueueFacts {
  readonly queueId: Id;
  readonly status: 'ACTIVE' | 'INACTIVE';
  readonly archivedOn?: Date | undefined;
  readonly pause?: Pause | undefined;
  /** Items that could start now. */
  readonly waiting: number;
  /** Items that wait for their next try. */
  readonly backOff: Delayed;
  /** Items that were put aside. */
  readonly deferred: Delayed;
  readonly running: number;
  readonly pace: Pace;
  /** What sends the queue to devices; of several, the one that is nearest to being active. */
  readonly automation?: AutomationFacts | undefined;
  /** Whether consumers are at work on it that claim by themselves, without an automation. */
  readonly isClaimedFrom: boolean;
  /** Roles that may claim by themselves, without an automation. */
  readonly consumerRoles: number;
  /** What decides whether idle devices are started on the queue. */
  readonly reactivation: Reactivation;
  readonly runningOnDevices: number;
  /** Whether the caller may claim from the queue. */
  readonly mayProcess: boolean;
}

/** Items that cannot start before a time. */
export interface Delayed {
  readonly items: number;
  /** When the first of them may; undefined when none ever does by itself. */
  readonly nextOn?: Date | undefined;
}

export interface Pause {
  readonly by?: Id | undefined;
  readonly byName?: string | undefined;
  readonly on?: Date | undefined;
  readonly reason?: string | undefined;
  /** When it goes on by itself. */
  readonly until?: Date | undefined;
}

/** What the recent minutes measured. */
export interface Pace {
  readonly minutes: number;
  /** Items finished. */
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
  /** Those as whom its bot works; none means that they limit nothing. */
  readonly runAsUsers: readonly RunAsUserFacts[];
  /** The devices of its pool; only of one that is active. */
  readonly devices: readonly DeviceFacts[];
  /** Other automations with work for these devices. */
  readonly rivals: readonly Rival[];
}

/** A run-as user, and what the user is at work on. */
export interface RunAsUserFacts {
  readonly name: string;
  readonly isDisabled: boolean;
  readonly run?: RunFacts | undefined;
}

/** An item that runs; of which automation is for those who may see that one. */
export interface RunFacts {
  readonly itemId?: Id | undefined;
  readonly queueId?: Id | undefined;
  readonly automationId?: Id | undefined;
  readonly automationName?: string | undefined;
}

/** An active automation of which items wait or run. */
export interface Rival {
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
  /** All pools that it stands in. */
  readonly poolIds: readonly Id[];
}

/** An item, as far as it explains itself. */
export interface ItemFacts {
  readonly id: Id;
  readonly status: Status;
  readonly failureKind?: Schemas['WorkItem']['failureKind'];
  readonly error?: string | undefined;
  readonly retryCount: number;
  readonly retryLimit: number;
  /** How often in a row its holders fell silent, and how often is too often; 0 for never. */
  readonly lapseCount?: number | undefined;
  readonly lapseLimit: number;
  /** NEW: in back-off until then. DEFERRED: put aside until then, for ever when undefined. */
  readonly notBefore?: Date | undefined;
  readonly startedOn?: Date | undefined;
  readonly endedOn?: Date | undefined;
  readonly leaseExpiresOn?: Date | undefined;
  readonly deviceName?: string | undefined;
  readonly holderName?: string | undefined;
  readonly cancelRequestedOn?: Date | undefined;
  readonly pointOfNoReturnOn?: Date | undefined;
  /** Who made the item what it is, and why, where that was said. */
  readonly changedByName?: string | undefined;
  readonly changeReason?: string | undefined;
  /** Items that are granted before this one; only of one that waits. Nobody counts more than `mostAhead` and one. */
  readonly ahead: number;
}

/** How many items before another are counted. */
export const mostAhead = 10_000;
