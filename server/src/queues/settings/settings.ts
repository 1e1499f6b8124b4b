import type { Schemas } from '@millrace/api';
import type { Attribute } from '../../models/rules.ts';

/** The settings by their names in the contract. */
export const settingNames = [
  'name',
  'description',
  'status',
  'reactivationThreshold',
  'reactivationUnit',
  'manualProcessingTime',
  'manualProcessingTimeUnit',
  'disallowDuplicate',
  'uniqueBy',
  'duplicateScope',
  'autoRetryLimit',
  'lapseLimit',
  'retryBackOff',
  'workItemProcessingOrders',
  'displayColumns',
  'expiry',
] as const;

type Setting = (typeof settingNames)[number];
type Optional = 'manualProcessingTime' | 'manualProcessingTimeUnit' | 'expiry' | 'retryBackOff';

/** What a person may set of a queue. */
export type QueueSettings = Required<Pick<Schemas['Queue'], Exclude<Setting, Optional>>> &
  Pick<Schemas['Queue'], Optional>;

/** What the settings depend on besides the request. */
export interface Circumstances {
  /** Of the queue's model. */
  readonly attributes: readonly Attribute[];
  readonly now: Date;
}
