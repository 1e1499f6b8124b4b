import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { measureBare, measureMillrace } from './compare.ts';
import { scenarios, type Scenario } from './scenarios.ts';
import type { Stage } from './stage.ts';

const seconds = 4;
// A shared machine is slow now and then: the best of some tries counts.
const tries = 4;
const leastShare = 2 / 3;

/** Compares the ratios to bare HTTP with the committed ones. @returns whether all are good enough */
export async function judge(stage: Stage): Promise<boolean> {
  const file = path.join(import.meta.dirname, 'committed.json');
  const committed = JSON.parse(await readFile(file, 'utf8')) as Record<string, number>;
  const verdicts: boolean[] = [];
  for (const scenario of scenarios.filter(({ isQuick }) => isQuick)) {
    const known = committed[scenario.name];
    if (known === undefined) throw new Error(`bench/committed.json lacks the share of ${scenario.name}`);
    const wanted = known * leastShare;
    const best = await bestOf(stage, scenario, wanted);
    const isGood = best >= wanted;
    verdicts.push(isGood);
    const share = `${best.toFixed(2)} of bare HTTP, ${known.toFixed(2)} committed`;
    console.log(`${isGood ? 'ok  ' : 'SLOW'} ${scenario.name}: items ${share}`);
  }
  return verdicts.every(Boolean);
}

async function bestOf(stage: Stage, scenario: Scenario, enough: number): Promise<number> {
  let best = 0;
  for (let attempt = 0; attempt < tries && (attempt === 0 || best < enough); attempt += 1) {
    const bare = await measureBare(stage, scenario, seconds);
    const own = await measureMillrace(stage, scenario, seconds, false);
    best = Math.max(best, own.itemsPerSecond / bare.itemsPerSecond);
  }
  return best;
}
