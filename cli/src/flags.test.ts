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
  choices: undefined,
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

test.each(['password', 'apiKey', 'token', 'id', 'createdOn', 'url'])('%s has no flag', (name) => {
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

test.each(['', 'x', '1.5', '1e3', '0x1', '99999999999999999999'])(
  '"%s" is refused as a whole number',
  (text) => {
    expect(() => readWholeNumber(text)).toThrow('must be a whole number');
  },
);

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

test('a list of whole numbers is given at once or one by one, with all digits', () => {
  const ids = member({ name: 'ids', kind: 'integers' });
  const command = new Command().addOption(optionsFor(ids)[0] ?? expect.fail());
  command.parse(['--ids', '1,2', '--ids', '9223372036854775807'], { from: 'user' });
  expect(command.opts()).toEqual({ ids: [1, 2, 9223372036854775807n] });
  expect(() => readFlag(ids, '1,x')).toThrow('whole number');
});
