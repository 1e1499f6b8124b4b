import { expect, test } from 'vitest';
import { remembering } from './remembering.rules.ts';

test('what was made for a name is made once, and forgotten when there are many names', () => {
  const asked: string[] = [];
  const made = remembering((name) => {
    asked.push(name);
    return name === 'nothing' ? undefined : name.length;
  }, 2);
  expect(['one', 'one', 'nothing', 'nothing'].map(made)).toEqual([3, 3, undefined, undefined]);
  expect(asked).toEqual(['one', 'nothing']);
  expect(['three', 'one'].map(made)).toEqual([5, 3]);
  expect(asked).toEqual(['one', 'nothing', 'three', 'one']);
});
