import { describe, expect, it } from 'vitest';
import type { Attribute } from '../models/rules.ts';
import { orderOf } from './rules.ts';

const text = (name: string): Attribute => ({ name, type: 'TEXT', isRequired: true });
const attributes = ['a', 'b', '-b', '__proto__'].map(text);

describe('an order', () => {
  it.each([
    ['a', 'a', false],
    ['-a', 'a', true],
    ['-b', '-b', false],
    ['--b', '-b', true],
    ['-__proto__', '__proto__', true],
  ])('%s is by %s', (order, name, isDescending) => {
    expect(orderOf(attributes, order)).toEqual({ attribute: text(name), isDescending });
  });

  it('of no attribute is none', () => {
    expect(orderOf(attributes, '-toString')).toBeUndefined();
  });
});
