import { ExactNumber } from '@millrace/api';
import { Command } from 'commander';
import { expect, test } from 'vitest';
import type { Member } from './contract.ts';
import {
  attributeOf,
  flagName,
  hasFlag,
  optionsFor,
  readFlag,
  readWholeNumber,
  wholeNumberFrom,
} from './flags.ts';

const member = (more: Partial<Member>): Member => ({
  name: 'workItemModelId',
  place: 'body',
  kind: 'text',
  names: undefined,
  choices: undefined,
  shape: undefined,
  minLength: undefined,
  description: '',
  isRequired: false,
  ...more,
});

test('a flag is the name of its member in small letters, and leads back to it', () => {
  expect(flagName('workItemModelId')).toBe('--work-item-model-id');
  expect(attributeOf('--work-item-model-id')).toBe('workItemModelId');
});

test('the data of an item is --data, because --json says how to print', () => {
  expect(flagName('json')).toBe('--data');
});

test.each(['password', 'apiKey', 'token', 'url'])('%s has no flag', (name) => {
  expect(hasFlag(member({ name }))).toBe(false);
});

test('a version has a flag where it must be given', () => {
  expect(hasFlag(member({ name: 'version', isRequired: true }))).toBe(true);
  expect(hasFlag(member({ name: 'version' }))).toBe(false);
});

test('whole numbers keep all their digits', () => {
  expect(readWholeNumber('42')).toBe(42);
  expect(readWholeNumber('9223372036854775807')).toBe(9223372036854775807n);
});

test.each(['', 'x', '1.5', '1e3', '0x1', '01', '-0', '-01', '99999999999999999999'])(
  '"%s" is refused as a whole number',
  (text) => {
    expect(() => readWholeNumber(text)).toThrow('must be a whole number');
  },
);

test('what is no whole number stands for a name, also 01: that is not the id 1', () => {
  const queue = member({ kind: 'integer', names: 'queue' });
  expect(['1', '0', '01', 'loans'].map((text) => readFlag(queue, text))).toEqual([1, 0, '01', 'loans']);
});

test('a number in a range is refused outside of it', () => {
  const read = wholeNumberFrom(1, 10);
  expect(read('10')).toBe(10);
  for (const text of ['0', '11', '-1', '1.0', '']) expect(() => read(text)).toThrow('from 1 to 10');
});

test('numbers keep their digits, and anything else is refused', () => {
  const number = member({ kind: 'number' });
  expect(readFlag(number, '0.5')).toBe(0.5);
  expect(readFlag(number, '0.12345678901234567890')).toEqual(new ExactNumber('0.12345678901234567890'));
  for (const text of ['', 'true', '"1"', '.5', '[1]'])
    expect(() => readFlag(number, text)).toThrow('must be a number');
});

test('a choice is found in any case, and another is refused with those there are', () => {
  const choice = member({ choices: ['ACTIVE', 'INACTIVE'] });
  expect(readFlag(choice, 'inactive')).toBe('INACTIVE');
  expect(() => readFlag(choice, 'off')).toThrow('one of ACTIVE, INACTIVE');
});

const parsed = (one: Member, args: string[]) => {
  const command = new Command().exitOverride();
  for (const option of optionsFor(one)) command.addOption(option);
  return command.parse(args, { from: 'user' }).opts();
};

test('a boolean is set, unset or left alone', () => {
  const isDisabled = member({ name: 'disabled', kind: 'boolean' });
  expect(parsed(isDisabled, ['--disabled'])).toEqual({ disabled: true });
  expect(parsed(isDisabled, ['--no-disabled'])).toEqual({ disabled: false });
  expect(parsed(isDisabled, [])).toEqual({});
});

test('a list of texts gathers what the flag gives each time, also with a minus in front', () => {
  const orders = member({ name: 'orders', kind: 'texts' });
  expect(parsed(orders, ['--orders', '-amount', '--orders', 'due'])).toEqual({ orders: ['-amount', 'due'] });
});

test('a list of texts is also taken as JSON, and set to nothing by an empty text', () => {
  const labels = member({ name: 'labels', kind: 'texts' });
  expect(parsed(labels, ['--labels', '["sap","a, b"]', '--labels', '[odd'])).toEqual({
    labels: ['sap', 'a, b', '[odd'],
  });
  expect(parsed(labels, ['--labels', ''])).toEqual({ labels: [] });
});

test('a list of whole numbers is given at once, one by one or as JSON, with all digits', () => {
  const ids = member({ name: 'ids', kind: 'integers' });
  expect(parsed(ids, ['--ids', '1,2', '--ids', '9223372036854775807', '--ids', '[4, 5]'])).toEqual({
    ids: [1, 2, 9223372036854775807n, 4, 5],
  });
  expect(parsed(ids, ['--ids', ''])).toEqual({ ids: [] });
  for (const text of ['1,x', '[1,"x"]', '[1', '1,', '[1.5]'])
    expect(() => readFlag(ids, text), text).toThrow('whole number');
});

test('an id of something that has a name may be the name', () => {
  const queueId = member({ kind: 'integer', names: 'queue' });
  expect(readFlag(queueId, '7')).toBe(7);
  expect(readFlag(queueId, ' Night run ')).toBe('Night run');
  for (const text of ['', ' ', '[7]', '{"id":7}'])
    expect(() => readFlag(queueId, text), text).toThrow('a name or an id');
});

test('ids of things that have names may be names, and records of which the id is enough too', () => {
  const deviceIds = member({ kind: 'integers', names: 'device' });
  expect(readFlag(deviceIds, 'runner-1, 7,9223372036854775807')).toEqual([
    'runner-1',
    7,
    9223372036854775807n,
  ]);
  expect(readFlag(deviceIds, '["a, b",7]')).toEqual(['a, b', 7]);
  const roles = member({ kind: 'references', names: 'role' });
  expect(readFlag(roles, '[{"id":5},"AAE_Admin"]')).toEqual([{ id: 5 }, 'AAE_Admin']);
  expect(readFlag(roles, 'AAE_Bot Runner,5')).toEqual(['AAE_Bot Runner', 5]);
});

test('JSON that is none is refused before anything else is done', () => {
  const expiry = member({ kind: 'json' });
  for (const text of ['{"type":"NONE"}', '-', '@nowhere.json', '-5'])
    expect(readFlag(expiry, text)).toBe(text);
  for (const text of ['{type}', '', 'NONE']) expect(() => readFlag(expiry, text)).toThrow('must be JSON');
});
