import { count, items, number } from '../messages/english.ts';
import { inLanguage } from '../messages/language.ts';
import { m as common } from '../messages/messages.ts';

const en = {
  pools: {
    title: 'Pools',
    total: (amount: number) => count(amount, 'pool', 'pools'),
    empty: 'There is no pool yet.',
    emptyText: 'A pool is devices that share work.',
    unseen: 'You see no pool.',
    unseenText:
      'Owners of a pool and users of the roles that consume it see it; all are seen with the permission viewDevices or manageDevices. Ask somebody who manages users.',
    actions: (name: string) => `What can be done to ${name}`,
    mayNot: 'Only owners of the pool and users with the permission manageDevices may change it.',
    mayNotCreate: 'New pools need the permission manageDevices.',
    new: 'New pool',
    create: 'Create',
    edit: 'Edit',
    editOf: (name: string) => `Edit ${name}`,
    save: 'Save',
    delete: 'Delete',
    deleteOf: (name: string) => `Delete ${name}`,
    deleteEffect: (amount: number) =>
      amount === 0
        ? 'It has no devices.'
        : `${count(amount, 'device stays, and gets', 'devices stay, and get')} no more items by it.`,
    bound: (names: string) => `It is refused as long as automations send items to it: ${names}.`,
    name: 'Name',
    description: 'Description',
    scheme: 'Which automation gets a free device',
    schemeNames: {
      FAIR: 'Each its share, by weight',
      PRIORITY: 'The one of the highest priority',
      ROUND_ROBIN: 'Each for a while, in turn',
    },
    slice: 'Length of a turn, seconds',
    itsDevices: 'Devices',
    devicesHint: 'A device may be in several pools.',
    owners: 'Owners',
    ownersHint: 'They may change the pool.',
    consumers: 'Roles that may send work',
    consumersHint: 'Their users may bind automations to the pool.',
    peopleUnseen: 'Owners and roles can be changed by those who may see users.',
    moves: (into: number, out: number) =>
      [
        into > 0 ? `${count(into, 'device comes', 'devices come')} into it.` : '',
        out > 0
          ? `${count(out, 'device leaves', 'devices leave')} it; what runs there goes on to its end.`
          : '',
      ]
        .filter((part) => part !== '')
        .join(' '),
    schemes: {
      ROUND_ROBIN: (seconds: number) =>
        `Its automations take turns of ${count(seconds, 'second', 'seconds')}.`,
      PRIORITY: () => 'The automation of the highest priority that has work comes first.',
      FAIR: () => 'Its automations get shares of the work by their weight.',
    },
    devices: (amount: number) => count(amount, 'device', 'devices'),
    none: 'No active automation sends items to it.',
    automation: 'Automation',
    due: 'Due',
    got: 'Got',
    finished: 'Finished in 15 minutes',
    percent: (part: number) => `${number(Math.round(part * 1000) / 10)} %`,
    items,
  },
};

/** The texts of the pools page. */
export const m = { ...common, ...inLanguage({ en }) };
