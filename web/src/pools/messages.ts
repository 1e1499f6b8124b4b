import { count, items, number } from '../messages/english.ts';
import { inLanguage } from '../messages/language.ts';
import { m as common } from '../messages/messages.ts';

const en = {
  pools: {
    title: 'Pools',
    total: (amount: number) => count(amount, 'pool', 'pools'),
    empty: 'There is no pool yet.',
    emptyText: 'A pool is devices that share work. Make one with the API or the command line:',
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

/** What the page of pools says. */
export const m = { ...common, ...inLanguage({ en }) };
