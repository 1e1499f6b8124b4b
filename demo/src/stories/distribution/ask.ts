import { stringifyJson, type Id, type Schemas } from '@millrace/api';
import { idOf, type Scene } from './scene.ts';
import type { Show } from './show.ts';

type Explanation = Schemas['Explanation'];
type Facts = Readonly<Record<string, unknown>>;

/** Asks for the reasons of a queue's state. */
export async function askAboutQueue(scene: Scene, show: Show, queue: string): Promise<void> {
  const path = { id: idOf(scene.queueIds, queue) };
  tell(scene, show, `Why is ${queue} not running?`, await scene.anna.explainQueue({ path }));
}

/** Asks for the reasons of an item's state. */
export async function askAboutItem(
  scene: Scene,
  show: Show,
  item: { queue: string; id: Id },
  what = 'not running',
): Promise<void> {
  const path = { id: idOf(scene.queueIds, item.queue), workItemId: item.id };
  const question = `Why is item ${item.id} of ${item.queue} ${what}?`;
  tell(scene, show, question, await scene.anna.explainWorkItem({ path }));
}

function tell(scene: Scene, show: Show, question: string, explanation: Explanation): void {
  const { reasons, expectedStartOn } = explanation;
  show.question(question);
  for (const { sentence, facts = {} } of reasons) {
    show.answer(sentence);
    show.facts(factsLine(named(scene, facts)));
  }
  if (expectedStartOn !== undefined) show.facts(factsLine({ expectedStartOn }));
}

/** Facts with the names of devices in place of their ids. */
function named({ deviceIds }: Scene, { deviceIds: ids, ...facts }: Facts): Facts {
  if (!Array.isArray(ids)) return facts;
  return { ...facts, devices: [...deviceIds].filter(([, id]) => ids.includes(id)).map(([name]) => name) };
}

/** Facts in a line of words, without ids where there is a name: `pool: Bank · labels: signing-key`. */
export function factsLine(facts: Facts): string {
  const names = Object.keys(facts).filter((member) => member.endsWith('Name') && facts[member]);
  const bases = names.map((member) => member.slice(0, -'Name'.length));
  const ids = bases.flatMap((base) => [base, `${base}Id`]);
  const shown = Object.entries(facts).filter(
    ([member, value]) => !ids.includes(member) && value !== undefined && value !== null,
  );
  return shown.map(([member, value]) => `${wordsOf(member)}: ${textOf(value)}`).join(' · ');
}

function wordsOf(member: string): string {
  return member.replace(/Name$/, '').replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

const instant = /^\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d)\.\d+Z$/;

/** A value in few characters: of instants the time, of numbers two digits after the point. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join(', ');
  if (typeof value === 'number') return String(Math.round(value * 100) / 100);
  if (typeof value === 'string') return value.replace(instant, '$1');
  return stringifyJson(value);
}
