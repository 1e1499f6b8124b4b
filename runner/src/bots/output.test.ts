import { expect, test } from 'vitest';
import { readOutput } from './output.ts';

test.each(['', ' \n\n'])('nothing is no output', (stdout) => {
  expect(readOutput(stdout)).toBeUndefined();
});

test.each([
  ['one line', '{"score":7}\n', { score: 7 }],
  ['several lines', '{\n  "score": 7\n}\n', { score: 7 }],
  ['a last line after others', 'starting\n{"half":1}\n{"score":7}\n\n', { score: 7 }],
  ['Windows line ends', 'starting\r\n{"score":7}\r\n', { score: 7 }],
  ['a number beyond a double', '{"id":9007199254740993}', { id: 9007199254740993n }],
])('an object on %s is the output', (_, stdout, output) => {
  expect(readOutput(stdout)).toEqual(output);
});

test.each(['done', '[1]', '7', '{"a":1', '{"a":1}\nbye', '{"a":"\\u0000"}'])('%j is no output', (stdout) => {
  expect(() => readOutput(stdout)).toThrow(/no JSON object.*It ends with: /);
});
