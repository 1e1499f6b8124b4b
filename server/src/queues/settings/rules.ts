import type { Schemas } from '@millrace/api';
import { Refusal } from '../../errors.ts';
import { changedMembers } from '../../events/rules.ts';
import { nameProblems } from '../../models/rules.ts';
import { columnProblems, orderProblems } from './attributes.ts';
import { duplicateProblems } from './duplicates.ts';
import { backOffProblems, spelledBackOff } from './back-off.ts';
import { expiryProblems, spelledExpiry } from './expiry.ts';
import { numberProblems } from './numbers.ts';
import { settingNames, type Circumstances, type QueueSettings } from './settings.ts';

const maxDisplayColumns = 10;

/** The settings of a new queue. @throws Refusal INVALID_REQUEST that names each member that is wrong. */
export function newSettings(sent: Schemas['NewQueue'], circumstances: Circumstances): QueueSettings {
  const defaults = {
    description: '',
    status: 'ACTIVE' as const,
    reactivationUnit: 'PERCENT' as const,
    // Less than 100 % of a pass waits from its first claim on, so no device idles while there is work; and a count
    // of 1 starts a drained queue with the first item.
    reactivationThreshold: sent.reactivationUnit === 'COUNT' ? 1 : 100,
    disallowDuplicate: false,
    uniqueBy: [],
    duplicateScope: 'ALL' as const,
    autoRetryLimit: 0,
    lapseLimit: 5,
    workItemProcessingOrders: [],
    displayColumns: circumstances.attributes.slice(0, maxDisplayColumns).map(({ name }) => name),
  };
  return settle({ ...defaults, ...settingsIn(sent), name: sent.name }, undefined, circumstances);
}

/**
 * The settings of a queue after a change; those that the request leaves out stay.
 * @throws Refusal INVALID_REQUEST that names each member that is wrong.
 */
export function changedSettings(
  current: QueueSettings,
  sent: Schemas['QueueUpdate'],
  circumstances: Circumstances,
): QueueSettings {
  return settle({ ...current, ...settingsIn(sent) }, current, circumstances);
}

/** Whether items are claimed in another order: each carries its place, which has to be worked out anew. */
export function isReordered(before: QueueSettings, after: QueueSettings): boolean {
  const [old, wanted] = [before.workItemProcessingOrders, after.workItemProcessingOrders];
  return old.length !== wanted.length || old.some((order, index) => order !== wanted[index]);
}

/** Whether items expire at other times, which each carries as well. */
export function changesExpiry(before: QueueSettings, after: QueueSettings): boolean {
  return 'expiry' in changedMembers({ expiry: before.expiry }, { expiry: after.expiry });
}

function settingsIn(sent: Partial<Schemas['Queue']>): Partial<QueueSettings> {
  return Object.fromEntries(
    settingNames.flatMap((name) => (sent[name] === undefined ? [] : [[name, sent[name]]])),
  );
}

function settle(wanted: QueueSettings, current: QueueSettings | undefined, circumstances: Circumstances) {
  const settings = spelled(wanted);
  const details = [
    ...nameProblems(settings.name),
    ...numberProblems(settings),
    ...columnProblems(settings, circumstances),
    ...orderProblems(settings, circumstances),
    ...duplicateProblems(settings, current, circumstances),
    ...backOffProblems(settings.retryBackOff),
    ...expiryProblems(settings.expiry, current?.expiry, circumstances.now),
  ];
  if (details.length > 0) {
    const sentences = details.map(({ field, message }) => `${field} ${message}`).join('; ');
    throw new Refusal('INVALID_REQUEST', `These are no settings for a queue: ${sentences}.`, { details });
  }
  return settings;
}

/** The settings in the one spelling that is stored. */
function spelled({ expiry, retryBackOff, ...wanted }: QueueSettings): QueueSettings {
  const unit =
    wanted.manualProcessingTimeUnit ?? (wanted.manualProcessingTime === undefined ? undefined : 'MINUTES');
  const spelledOut = {
    expiry: spelledExpiry(expiry),
    retryBackOff: spelledBackOff(retryBackOff),
  };
  return {
    ...wanted,
    ...(unit !== undefined && { manualProcessingTimeUnit: unit.toUpperCase() }),
    ...(spelledOut.expiry && { expiry: spelledOut.expiry }),
    ...(spelledOut.retryBackOff && { retryBackOff: spelledOut.retryBackOff }),
  };
}
