import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { ConfigError, readAgentConfig } from './config.ts';

const file = '/etc/millrace/agent.yaml';
const read = (text: string) => readAgentConfig(text, file);

const whole = `
url: https://millrace.example.com
device:
  hostName: runner-01
  nickname: Runner 1
  labels: [sap, germany]
  slots: 4
leaseSeconds: 30
drainSeconds: 10
maxOutputBytes: 5000
bots:
  Post invoice:
    command: [python3, post.py]
    cwd: bots
    env: { SAP_CLIENT: '100' }
    timeoutSeconds: 600
    killGraceSeconds: 1
    businessExitCode: 3
    warm: { maxItems: 100, idleSeconds: 60 }
  Check vendor:
    command: [./check]
    cwd: /opt/check
    warm: true
`;

test('a configuration says what the device is and which command each bot is', () => {
  const config = read(whole);
  expect(config).toMatchObject({
    url: 'https://millrace.example.com',
    device: { hostName: 'runner-01', nickname: 'Runner 1', labels: ['sap', 'germany'], slots: 4 },
    leaseSeconds: 30,
  });
  expect(config.bots['Check vendor']).toEqual({ command: ['./check'], cwd: '/opt/check', warm: true });
  expect(config.bots['Post invoice']).toMatchObject({
    cwd: '/etc/millrace/bots',
    warm: { maxItems: 100, idleSeconds: 60 },
  });
});

test('all but the bots may be left out, and bots run in the folder of the file', () => {
  expect(read('bots: { score: { command: [./score] } }')).toEqual({
    device: { hostName: hostname(), slots: 1 },
    bots: { score: { command: ['./score'], cwd: '/etc/millrace' } },
  });
});

test('JSON will do', () => {
  expect(read('{"bots":{"score":{"command":["./score"]}}}').bots['score']).toMatchObject({
    command: ['./score'],
  });
});

test.each([
  ['device: { slots: 2 }', ':1:1: bots is missing'],
  ['bots: {}', ':1:1: bots must have at least one member'],
  ['[]', ':1:1: the configuration must be object'],
  ['', ':1:1: the configuration must be object'],
  [
    'bots:\n  score:\n    command: [./score]\n    timeoutSecond: 60',
    ':4:5: bots.score.timeoutSecond is not a known member',
  ],
  ['bots:\n  score:\n    cwd: x', ':2:3: bots.score.command is missing'],
  ['bots:\n  score:\n    command: ./score', ':3:5: bots.score.command must be array'],
  ['bots:\n  score:\n    command: []', ':3:5: bots.score.command must have at least one entry'],
  ["bots:\n  score:\n    command: ['']", ':3:15: bots.score.command.0 must not be empty'],
  ['bots: { score: { command: [./score], env: { PORT: 80 } } }', ':1:45: bots.score.env.PORT must be string'],
  [
    'bots: { score: { command: [a], warm: { items: 1 } } }',
    ':1:40: bots.score.warm.items is not a known member',
  ],
  ['bots: { score: { command: [a], warm: yes } }', ':1:32: bots.score.warm must be boolean,object'],
  [
    'device: { hostName: "a " }\nbots: { a: { command: [a] } }',
    ':1:11: device.hostName must not begin or end with white space, or hold control or invisible characters',
  ],
  [
    'device: { hostName: "a\\u200bb" }\nbots: { a: { command: [a] } }',
    ':1:11: device.hostName must not begin or end with white space, or hold control or invisible characters',
  ],
  [
    'bots: { "a\\t": { command: [a] } }',
    ':1:9: bots.a\t must not begin or end with white space, or hold control or invisible characters',
  ],
  [
    `device: { labels: [${'l'.repeat(101)}] }\nbots: { a: { command: [a] } }`,
    ':1:20: device.labels.0 must NOT have more than 100 characters',
  ],
  ['bots: { a: { command: ["a\\0"] } }', ':1:24: bots.a.command.0 must not hold NUL'],
  ['bots: { a: { command: [*b] } }', ':1:24: the alias *b has no anchor &b before it'],
  ['device: { slots: 0 }\nbots: { a: { command: [a] } }', ':1:11: device.slots must be >= 1'],
  ['url: millrace\nbots: { a: { command: [a] } }', ':1:1: url must match pattern "^https?://"'],
  [
    'apiKey: secret\nbots: { a: { command: [a] } }',
    ':1:1: apiKey does not belong here: the agent takes its log-in from MILLRACE_USERNAME and MILLRACE_API_KEY',
  ],
])('%j is refused by name, with where it is', (text, message) => {
  expect(() => read(text)).toThrow(new ConfigError(`${file}${message}`));
});

test('aliases that stand for very much are refused with where they are', () => {
  const tens = 'abcdefgh'.split('').map((name, index, all) => {
    const inner = index === 0 ? 'x' : `*${all[index - 1] ?? ''}`;
    return `${name}: &${name} [${Array(10).fill(inner).join(', ')}]`;
  });
  expect(() => read(tens.join('\n'))).toThrow(/^\/etc\/millrace\/agent\.yaml:8:\d+: cannot be read: .*alias/);
});

test('every problem is named', () => {
  expect(() => read('urk: x\nbots: { a: { command: [a], cwd: 1 } }')).toThrow(
    `${file}:1:1: urk is not a known member\n${file}:2:28: bots.a.cwd must be string`,
  );
});

test.each([
  ['bots: [', /at line 1, column \d/],
  ['bots: {}\nbots: {}', /Map keys must be unique at line 2, column 1/],
])('what is no YAML is refused with where it is: %j', (text, message) => {
  expect(() => read(text)).toThrow(message);
});
