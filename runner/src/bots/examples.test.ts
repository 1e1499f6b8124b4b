import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { BusinessError } from '../errors.ts';
import type { Work, WorkItem } from '../item.ts';
import { createBot, type Bot } from './bot.ts';
import { hands } from './hands.fixture.ts';

const root = path.join(import.meta.dirname, '../../..');
const applications = [
  { Customer_ID: 7, Credit_Amount: 1200 },
  { Customer_ID: 8, Credit_Amount: 15_001 },
  { Customer_ID: 9, Credit_Amount: 80 },
];
const item = (json: object, index: number): WorkItem => ({
  id: index + 1,
  queueId: 1,
  version: 1,
  json: { ...json },
});

async function outcomeOf(bot: Bot, one: WorkItem, tools: Work): Promise<unknown> {
  try {
    return await bot.handle(one, tools);
  } catch (error) {
    return error;
  }
}

/** The outcomes of the applications that the bot was given, one after the other, and its words on each. */
async function work(bot: Bot) {
  const results: unknown[] = [];
  const told: unknown[][] = [];
  for (const [index, application] of applications.entries()) {
    const tools = hands();
    results.push(await outcomeOf(bot, item(application, index), tools));
    told.push(tools.told);
  }
  return { results, told };
}

const checked = [{ percent: 50, text: 'checked' }, 'point of no return', { tags: ['paid'] }];

async function expectPayments(command: readonly string[]): Promise<void> {
  const notes: string[] = [];
  const settings = { command: [...command], cwd: root, warm: true };
  const bot = createBot(settings, 10_000, (text) => void notes.push(text));
  try {
    const { results, told } = await work(bot);
    expect(results, notes.join('\n')).toEqual([
      { paid: 1200 },
      new BusinessError('15001 is above the limit of 15000'),
      { paid: 80 },
    ]);
    expect(told).toEqual([checked, [], checked]);
  } finally {
    await bot.end();
  }
}

describe('the warm bots among the examples', () => {
  test('warm-bot.ts pays, past a point of no return, and refuses what is above the limit', async () => {
    await expectPayments([process.execPath, '--import', 'tsx', 'examples/warm-bot.ts']);
  });

  const python = spawnSync('python3', ['--version']);
  // The only test that needs more than Node.js brings: without Python its title says so, and with it the bot must work.
  const hasPython = python.error === undefined;
  test(`warm_bot.py does the same${hasPython ? '' : ' (NOT TESTED HERE: there is no python3 on this machine)'}`, async () => {
    if (hasPython) await expectPayments(['python3', 'examples/warm_bot.py']);
    else expect(python.error).toMatchObject({ code: 'ENOENT' });
  });
});
