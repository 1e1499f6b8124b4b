import { number } from '../messages/english.ts';
import { inLanguage } from '../messages/language.ts';
import { m as common } from '../messages/messages.ts';

const en = {
  page: {
    masked: 'Hidden: a personal or secret value',
    lost: 'There is no such page.',
    toOverview: 'Go to the overview',
    broken: 'This page failed.',
    copyReport: 'Copy report',
    again: 'Try again',
    unseen: 'This does not exist, or you do not belong to it.',
    refused: 'You may not see this.',
    standing: (memberships: readonly string[], owners: readonly string[]) =>
      `You are ${memberships.join(', ')} there. ${owners.length > 0 ? `Owners: ${owners.join(', ')}.` : 'It has no owner.'}`,
    showAll: (characters: number) => `Show all ${number(characters)} characters`,
    showLess: 'Show less',
    selectAll: 'Select all rows that are read',
    inZone: (zone: string) => `Time in ${zone}`,
  },
};

/** The texts in place of a page that cannot be shown. */
export const m = { ...common, ...inLanguage({ en }) };
