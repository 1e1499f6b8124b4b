import { parseJson } from '@millrace/api';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { atOnce } from '../../testing/slices.ts';
import type { Refusal } from '../errors.ts';
import { readJson } from './read.ts';

const read = (text: string | Buffer, portionBytes?: number) =>
  atOnce(readJson(Buffer.from(text), portionBytes));

function refusalOf(text: string | Buffer, portionBytes?: number): Refusal {
  try {
    read(text, portionBytes);
  } catch (error) {
    return error as Refusal;
  }
  throw new Error(`${String(text).slice(0, 100)} was read`);
}

describe('a body, read in portions of any size,', () => {
  const portion = fc.integer({ min: 0, max: 40 });
  const space = fc.constantFrom(undefined, 1, '\t');

  test('is what the native parser reads', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), portion, space, (value, portionBytes, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(read(text, portionBytes)).toEqual(parseJson(text));
      }),
    );
  });

  test('is refused where the native parser refuses it, and read the same where it does not', () => {
    const piece = fc.constantFrom('', ',', '[', ']', '{', '}', '"', ':', '\\', '5', '"a":', ' ', 'null');
    const spot = fc.tuple(fc.nat(), piece, fc.integer({ min: 0, max: 2 }));
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), portion, spot, (value, portionBytes, [at, put, taken]) => {
        const text = JSON.stringify(value, null, 1);
        const from = at % (text.length + 1);
        const spoilt = text.slice(0, from) + put + text.slice(from + taken);
        const native = attempt(() => parseJson(spoilt));
        const own = attempt(() => read(spoilt, portionBytes));
        if (/given twice|must be a number/.test(own.message)) return;
        // An empty body counts as none: calls of operations without a body send it.
        if (spoilt === '') {
          expect(own.value).toBe(undefined);
          return;
        }
        expect(own.isRefused, own.message).toBe(native.isRefused);
        if (!native.isRefused) expect(own.value).toEqual(native.value);
      }),
      { numRuns: 2000 },
    );
  });

  function attempt(work: () => unknown) {
    try {
      return { isRefused: false, value: work(), message: '' };
    } catch (error) {
      return { isRefused: true, value: undefined, message: (error as Error).message };
    }
  }
});

describe('a member that is given twice is refused with its place', () => {
  test.each([
    ['{"a":1,"a":1}', 'a'],
    ['{"list":[{"b":1},{"b":{"c":1,"d":[1],"c":2}}]}', 'list.1.b.c'],
    ['{"a":1,"\\u0061":2}', 'a'],
    ['{"__proto__":1,"b":2,"__proto__":3}', '__proto__'],
    ['{"n":1e5,"big":12345678901234567890,"n":2}', 'n'],
    ['[[0],{"x":"{\\"a\\":1,\\"a\\":1}","y":1,"y":2}]', '1.y'],
  ])('%s', (text, place) => {
    for (const portionBytes of [undefined, 0, 1, 5, 20]) {
      const { code, message, details } = refusalOf(text, portionBytes);
      expect([code, message]).toEqual([
        'INVALID_REQUEST',
        expect.stringContaining(`${place} is given twice`),
      ]);
      expect(details?.[0]?.field).toBe(place);
    }
  });

  test('and a member with a strange name is data', () => {
    for (const portionBytes of [undefined, 0]) {
      const value = read('{"__proto__":{"a":1},"constructor":2,"b":"\\"b\\":1"}', portionBytes) as object;
      expect(Object.keys(value)).toEqual(['__proto__', 'constructor', 'b']);
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    }
  });
});

test.each([
  ['{"a":[1,{"b":"x\\u0000"}]}', 'a.1.b', 'a.1.b holds the character NUL'],
  ['[{"list":["ok","\\ud800"]}]', '0.list.1', '0.list.1 holds half a surrogate pair'],
  ['{"x":{"n\\u0000":1}}', 'x', 'x has a name that holds the character NUL'],
  ['{"a":[1,2,{"b":nope}]}', 'a.2.b', 'a.2.b has "nope'],
])('what is no JSON, or cannot be stored, is refused with its place: %s', (text, place, message) => {
  for (const portionBytes of [undefined, 0, 1, 5, 20]) {
    const { message: found, details } = refusalOf(text, portionBytes);
    expect([found, details?.[0]?.field]).toEqual([expect.stringContaining(message), place]);
  }
});

describe('what is too large in any direction is refused with its place', () => {
  const list = (member: string, count: number) => `[${`${member},`.repeat(count)}${member}]`;

  test.each([
    ['{"a":[0,1e400]}', 'a.1 must be a number that a double can approximate'],
    ['{"a":{"b":-1e-400}}', 'a.b must be a number'],
    [`{"n":${'1'.repeat(2000)}}`, 'n must be a number'],
    [`{"n":0.${'1'.repeat(100_000)}}`, 'n must be a number'],
    [`{"a":${list('1', 100_000)}}`, 'a.100000 is one member too many'],
    [`{"t":[0,"${'x'.repeat(6_000_001)}"]}`, 't.1 has a text of more than 6000000 bytes'],
    [`{"a":${list(list('[]', 90_000), 5)}}`, 'is one list or object too many'],
    [`{"a":${list(list('1', 90_000), 27)}}`, 'is one value too many'],
    ['['.repeat(300) + ']'.repeat(300), 'nests deeper than 200 levels'],
  ])('%.30s', (text, message) => {
    expect(refusalOf(text)).toMatchObject({
      code: 'INVALID_REQUEST',
      message: expect.stringContaining(message),
    });
  });

  test('and what is not is read', () => {
    const text = `{"a":[0e999999,1e299,5e-324,0.${'1'.repeat(900)}],"b":"${'x'.repeat(900_000)}"}`;
    expect(read(text)).toMatchObject({ a: [0, 1e299, expect.anything(), expect.anything()] });
    const deep = '['.repeat(200) + ']'.repeat(200);
    expect(read(deep)).toEqual(JSON.parse(deep));
  });
});

// A body is scanned this many bytes at a time.
const lookBytes = 128 * 1024;

test('a text is read whole wherever a look at the body ends in it: in a character, in an escape or between the two of a pair', () => {
  const ends = ['é', '€', '😀', '\\"', '\\\\', '\\u00e9', '\\ud83d\\ude00'];
  for (const end of ends)
    for (let before = 1; before <= 13; before += 1) {
      const text = `["${'x'.repeat(lookBytes - before)}${end}y","z"]`;
      expect(read(text)).toEqual(JSON.parse(text));
    }
});

test('a body that is not in UTF-8 is refused, whatever its length and wherever that is', () => {
  expect(refusalOf(Buffer.from('{"a":"ü"}', 'latin1')).message).toContain('UTF-8');
  for (let place = lookBytes - 3; place < lookBytes + 3; place += 1) {
    for (const spoilt of [[0xff], [0x80], [0xe2, 0x82], [0xf0, 0x9f, 0x98], [0x80, 0x80, 0x80, 0x80]]) {
      const bytes = Buffer.from(`["${'x'.repeat(2 * lookBytes)}"]`);
      bytes.set(spoilt, place);
      expect(refusalOf(bytes).message).toContain('UTF-8');
    }
  }
});

test('a byte order mark before a body is not a part of it', () => {
  expect(read('\ufeff{"a":1}')).toEqual({ a: 1 });
  expect(refusalOf('{"a":\ufeff1}').message).toContain('where a value should be');
});
