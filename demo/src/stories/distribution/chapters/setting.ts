import { drawTable } from '../../../table.ts';
import type { Scene } from '../scene.ts';
import type { Show } from '../show.ts';

/** Says which devices, pools and queues there are, as the server lists them. */
export async function tellSetting({ anna }: Scene, show: Show): Promise<void> {
  show.chapter(
    'Eight devices, two pools, four queues',
    'Each device runs an agent, a process of its own, that asks for work by one open call; the server decides what it gets. Only ' +
      'the bots are made up: they wait as long as the item says.',
  );
  const [pools, devices, automations] = await Promise.all([
    anna.listPools(),
    anna.listDevices(),
    anna.listAutomations(),
  ]);
  const rows = pools.list.map(({ id, name, scheme }) => {
    const hosts = devices.list.filter(({ poolIds }) => poolIds.includes(id)).map(({ hostName }) => hostName);
    const bound = automations.list.filter(({ poolId }) => poolId === id);
    const queues = bound.map((one) => `${one.name} (${[`weight ${one.weight}`, ...one.labels].join(', ')})`);
    return [name, scheme, hosts.toSorted().join('\n'), queues.join('\n')];
  });
  show.lines(`\n${drawTable(rows, ['POOL', 'SCHEME', 'DEVICES', 'QUEUES'])}`);
}
