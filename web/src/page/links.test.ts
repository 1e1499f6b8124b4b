import { expect, test } from 'vitest';
import { beginningOf, isLong, partsIn } from './links.ts';

const links = (text: string) =>
  partsIn(text).flatMap(({ text: written, link }) => (link ? [[written, link.host ?? '']] : []));

test.each([
  ['See https://shop.example/orders/7?x=1.', 'https://shop.example/orders/7?x=1', ''],
  ['(http://shop.example:8080)', 'http://shop.example:8080', ''],
  ['"HTTPS://Shop.example/A"', 'HTTPS://Shop.example/A', ''],
  ['https://bank.example@evil.example/', 'https://bank.example@evil.example/', 'evil.example'],
  ['https://bаnk.example', 'https://bаnk.example', 'xn--bnk-6cd.example'],
  ['https://a.example\u202egpj.exe', 'https://a.example', ''],
])('in %j one is led to %s', (text, written, host) => {
  expect(links(text)).toEqual([[written, host]]);
});

test.each([
  'javascript:alert(1)',
  'data:text/html,x',
  'xhttps://shop.example',
  'https://',
  'ftp://shop.example',
  'shop.example',
])('%j leads nowhere', (text) => {
  expect(partsIn(text)).toEqual([{ text }]);
});

test('the parts are the text', () => {
  const text = 'a https://one.example, https://two.example\nhttps://[ b';
  expect(
    partsIn(text)
      .map((part) => part.text)
      .join(''),
  ).toBe(text);
  expect(links(text).map(([written]) => written)).toEqual(['https://one.example', 'https://two.example']);
});

test('a long text begins with whole characters and whole addresses', () => {
  const before = 'x'.repeat(9_995);
  expect([isLong(before), isLong(`${before} https://a.example`)]).toEqual([false, true]);
  expect(beginningOf(`${before} https://a.example`)).toBe(`${before} http`);
  expect(beginningOf(`${'x'.repeat(9_980)} https://a.example/far`)).toBe(`${'x'.repeat(9_980)} `);
  expect(beginningOf(`${'x'.repeat(9_999)}🧾 and more`)).toBe('x'.repeat(9_999));
});
