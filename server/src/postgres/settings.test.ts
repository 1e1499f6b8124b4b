import { expect, it } from 'vitest';
import { clusterArguments } from './cluster.ts';
import { availableMemory, restartDelay, serverSettings, settingArguments } from './supervisor.ts';

const gibibyte = 1024 ** 3;

it.each([
  [gibibyte / 8, '32MB', '4MB'],
  [4 * gibibyte, '512MB', '8MB'],
  [256 * gibibyte, '1024MB', '16MB'],
])('sizes the buffers for %i bytes of memory', (memory, buffers, workMemory) => {
  expect(serverSettings(memory)).toMatchObject({ shared_buffers: buffers, work_mem: workMemory });
});

it('never trades durability for speed', () => {
  expect(serverSettings(gibibyte)).toMatchObject({
    fsync: 'on',
    full_page_writes: 'on',
    synchronous_commit: 'on',
  });
  expect(clusterArguments(process.platform)).toContain('--data-checksums');
});

it('passes settings as separate words', () => {
  expect(settingArguments({ a: '1', log_line_prefix: '%m ' })).toEqual([
    '-c',
    'a=1',
    '-c',
    'log_line_prefix=%m ',
  ]);
});

it('knows how much memory there is', () => {
  expect(availableMemory()).toBeGreaterThan(gibibyte / 16);
  expect(availableMemory()).toBeLessThan(2 ** 60);
});

it('restarts at once after a single death and slows down when they repeat', () => {
  expect([1, 2, 3, 20].map(restartDelay)).toEqual([0, 400, 800, 5_000]);
});
