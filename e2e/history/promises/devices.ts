import { notesOf, type Happening } from '../record.ts';
import { originOf, type Case } from '../timelines.ts';

/** An item in progress on a device. */
interface Run {
  readonly itemId: number;
  readonly grant: Happening;
}

/**
 * The runs on devices after each grant to one of them. The record is in the order of ids: a server that gave a slot anew
 * had seen that it was free.
 */
function* afterGrants({ record }: Case): Generator<{ grant: Happening; runs: readonly Run[] }> {
  const running = new Map<number, Run>();
  for (const event of record) {
    const { itemId, from, to } = event;
    if (itemId === undefined) continue;
    if (from === 'IN_PROGRESS' && to !== 'IN_PROGRESS') running.delete(itemId);
    if (event.operation !== 'requestWork') continue;
    running.set(itemId, { itemId, grant: event });
    yield { grant: event, runs: [...running.values()] };
  }
}

export function boundedSlots(known: Case): string[] {
  const slots = new Map(known.stage.devices.map((device) => [device.id, device.slots]));
  return [...afterGrants(known)].flatMap(({ grant: { device = 0, itemId }, runs }) => {
    const used = runs.filter(({ grant }) => grant.device === device).length;
    const has = slots.get(device) ?? 0;
    return used > has ? [`device ${device} got item ${itemId} into slot ${used} of ${has}`] : [];
  });
}

/**
 * No two items run at the same time as the same user, by the answers. Where answers were lost, by number: no more items run than there are
 * users for them.
 */
export function singleRunAs(known: Case): string[] {
  const users = new Map(
    notesOf(known, 'granted').map(({ id, version, runAs }) => [`${id} ${version}`, runAs]),
  );
  const userOf = ({ itemId, grant }: Run) => users.get(`${itemId} ${versionOf(known, grant)}`);
  return [...afterGrants(known)].flatMap(({ grant, runs }) => {
    const last = runs.at(-1) as Run;
    const user = userOf(last);
    const taken = runs.find((one) => one !== last && user !== undefined && userOf(one) === user);
    if (taken) return [`user ${user} got item ${last.itemId} while in item ${taken.itemId}`];
    const bound = known.stage.automations.filter(({ queueId }) => queueId === grant.queueId);
    if (bound.some(({ runAsUserIds }) => runAsUserIds.length === 0)) return [];
    const limit = new Set(bound.flatMap(({ runAsUserIds }) => runAsUserIds)).size;
    const count = runs.filter((one) => one.grant.queueId === grant.queueId).length;
    return count > limit ? [`item ${last.itemId} runs as the ${count}th of ${limit} users`] : [];
  });
}

function versionOf({ changes }: Case, grant: Happening): number {
  return changes.get(grant.itemId ?? 0)?.indexOf(grant) ?? -1;
}

/** A device gets items by an automation of its pools, all of whose labels it has. */
export function fittingDevices({ stage, record }: Case): string[] {
  return record
    .filter(({ operation }) => operation === 'requestWork')
    .filter(({ queueId, device }) => {
      const has = stage.devices.find(({ id }) => id === device)?.labels ?? [];
      return !stage.automations.some(
        (one) =>
          one.queueId === queueId &&
          one.deviceIds.some((id) => id === device) &&
          one.labels.every((label) => has.includes(label)),
      );
    })
    .filter(({ itemId }) => itemId !== undefined)
    .map(({ itemId, device }) => `item ${itemId} went to device ${device}, which does not suit`);
}

/** A device that names the working user names one of the automation's. */
export function knownRunAs(known: Case): string[] {
  return notesOf(known, 'granted').flatMap(({ id, version, runAs, device }) => {
    const queue = originOf(known, { id, version })?.queueId;
    const users = known.stage.automations
      .filter(({ queueId }) => queueId === queue)
      .flatMap(({ runAsUserIds }) => runAsUserIds);
    const isMissing = users.length > 0 && device !== undefined && runAs === undefined;
    const isWrong = runAs !== undefined && !users.includes(runAs);
    return isMissing || isWrong
      ? [`item ${id} went to a device as user ${runAs}, of ${users.join(', ')}`]
      : [];
  });
}
