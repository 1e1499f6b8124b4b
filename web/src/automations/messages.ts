import { count } from '../messages/english.ts';
import { inLanguage } from '../messages/language.ts';
import { m as common } from '../messages/messages.ts';

const en = {
  automations: {
    title: 'Automations',
    total: (amount: number) => count(amount, 'automation', 'automations'),
    empty: 'There is no automation yet.',
    emptyText:
      'An automation sends the items of a queue to the devices of a pool. Make one with the API or the command line:',
    another: 'Another one is made with the API or the command line:',
    name: 'Automation',
    way: 'From, by, to',
    devices: 'Devices that suit',
    state: 'State',
    queue: (id: string) => `queue ${id}`,
    pool: (id: string) => `pool ${id}`,
    states: { ACTIVE: 'Active', PAUSED: 'Paused', STOPPED: 'Stopped' },
    suited: (some: number, all: number) => `${some} of ${count(all, 'device', 'devices')}`,
    tryOut: 'Try',
    tryOne: (name: string) => `Try ${name}`,
    tried: (name: string) => `Which device takes the next item of ${name}?`,
    device: 'Device',
    verdict: 'Why or why not',
  },
};

/** What the page of automations says. */
export const m = { ...common, ...inLanguage({ en }) };
