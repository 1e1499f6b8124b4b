import { count, number } from '../messages/english.ts';
import { inLanguage } from '../messages/language.ts';
import { m as common } from '../messages/messages.ts';

const en = {
  way: {
    title: 'From the queue to the devices',
    parts: { queue: 'Queue', automation: 'Automation', pool: 'Pool', devices: 'Devices' },
    marks: { stops: 'Stops here:', waits: 'Waits here:' },
    none: 'None',
    queue: (id: string) => `queue ${id}`,
    pool: (id: string) => `pool ${id}`,
    bot: (name: string) => `By the bot ${name}`,
    devices: (amount: number) => count(amount, 'device', 'devices'),
    more: (amount: number) => `and ${number(amount)} more`,
  },
};

/** The texts of the way of items from a queue to devices. */
export const m = { ...common, ...inLanguage({ en }) };
