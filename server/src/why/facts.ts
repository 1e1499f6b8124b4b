import type { Id, Schemas } from '@millrace/api';
import type { Reactivation } from '../dispatch/rules.ts';

/** One answer to "why": the code for programs, the sentence for people, and what it rests on. */
export type Reason = Schemas['Reason'];

/** All that decides whether the waiting items of a queue start, as it was read in one moment. */
export interface QueueFacts {
  readonly queueId: Id;
  readonly status: 'ACTIVE' | 'INACTIVE';
  readonly archivedOn?: Date | undefined;
  readonly pause?: Pause | undefined;
  /** Items that could start now, or after their back-off. */
  readonly waiting: number;
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
  readonly poolId: Id;
  readonly poolName: string;
  /** Run-as users of the automation; none means that they limit nothing. */
  readonly runAsUsers: number;
  readonly freeRunAsUsers: number;
  readonly devices: readonly DeviceFacts[];
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
}

/** An item, as far as it explains itself. */
export interface ItemFacts {
  readonly id: Id;
  readonly status: Schemas['WorkItem']['status'];
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
  /** Items that are granted before this one; only of one that waits. */
  readonly ahead: number;
}
