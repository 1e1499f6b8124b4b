import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ExactNumber, JsonText, parseJson, stringifyJson, toDouble, toId } from './json.ts';

describe('numbers', () => {
  test('that a double cannot hold survive reading and writing', () => {
    const text =
      '{"a":9007199254740993,"b":-9223372036854775808,"c":0.12345678901234567890,"d":1e400,"e":0.1,"f":1e-400}';
    expect(stringifyJson(parseJson(text))).toBe(text);
  });

  test('are bigint beyond 2^53, exact where digits would be lost, and plain otherwise', () => {
    expect(parseJson('[9007199254740991, 9007199254740993, 1.5, 1e21]')).toEqual([
      Number.MAX_SAFE_INTEGER,
      9007199254740993n,
      1.5,
      1e21,
    ]);
    expect(parseJson('[0.12345678901234567890]')).toEqual([new ExactNumber('0.12345678901234567890')]);
  });

  test('that are a double to the last digit stay plain', () => {
    const text = JSON.stringify([2 / 15, 1 / 3e7]);
    expect(parseJson(text)).toEqual([2 / 15, 1 / 3e7]);
  });

  test('inside texts are left alone', () => {
    const value = { 'key 12345678901234567890': 'text 12345678901234567890 "quoted \\" 1e400"' };
    expect(parseJson(JSON.stringify(value))).toEqual(value);
    expect(parseJson(`{"n":12345678901234567890,${JSON.stringify(value).slice(1)}`)).toEqual({
      n: 12345678901234567890n,
      ...value,
    });
  });

  test('have a double to compare by', () => {
    expect([toDouble(5), toDouble(9007199254740993n), toDouble(new ExactNumber('1e400'))]).toEqual([
      5,
      2 ** 53,
      Infinity,
    ]);
  });
});

test('any JSON value is read and written as the native parser does', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      expect(stringifyJson(parseJson(text))).toBe(JSON.stringify(JSON.parse(text)));
    }),
  );
});

test('a long text that nests absurdly deep is refused at once, and brackets in texts do not count', () => {
  expect(() => parseJson('['.repeat(100_000))).toThrow('nests deeper than 200 levels');
  const harmless = [`${'['.repeat(100_000)}\\"{`];
  expect(parseJson(JSON.stringify(harmless))).toEqual(harmless);
});

test('equal ids are identical, whatever their size', () => {
  expect(toId('17')).toBe(17);
  expect(toId('9007199254740993')).toBe(9007199254740993n);
});

test('names such as __proto__ are data and change no object', () => {
  const value = parseJson('{"__proto__":{"polluted":12345678901234567890},"constructor":1}') as object;
  expect(Object.keys(value)).toEqual(['__proto__', 'constructor']);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});

describe('texts that PostgreSQL cannot store are refused', () => {
  for (const [what, text] of [
    ['NUL', '"a\\u0000b"'],
    ['NUL in a name', '{"\\u0000":1}'],
    ['a marked text that imitates an exact number', '["\\u0000n:1", 12345678901234567890]'],
    ['half a surrogate pair', '["\\ud83d"]'],
  ] as const) {
    test(what, () => expect(() => parseJson(text)).toThrow(SyntaxError));
  }

  test('but whole pairs and other escapes are welcome', () => {
    expect(parseJson('["\\ud83d\\ude00", "\\u0001", "\\\\u0000"]')).toEqual(['😀', '\u0001', '\\u0000']);
  });
});

describe('JSON that is only passed on', () => {
  const text = '{"a": 1.0, "b":9007199254740993,"c":"\\u0041\\\\u0000t"}';

  test('is written as it is, among other things, also where some of them are bigint', () => {
    const passed = () => new JsonText(text);
    expect(stringifyJson(passed())).toBe(text);
    const value = { list: [{ id: 1, json: passed() }, { id: 2 }, { id: 3, json: new JsonText('[]') }] };
    const written = `{"list":[{"id":1,"json":${text}},{"id":2},{"id":3,"json":[]}]}`;
    expect(stringifyJson(value)).toBe(written);
    const large = { of: new ExactNumber('1e400'), id: 9007199254740993n, ...value };
    expect(stringifyJson(large)).toBe(written.replace('{', '{"of":1e400,"id":9007199254740993,'));
    expect(stringifyJson({ id: 4 })).toBe('{"id":4}');
  });

  test('leaves nothing behind where writing fails', () => {
    const fails = {
      toJSON: () => {
        throw new RangeError('no');
      },
    };
    expect(() => stringifyJson([new JsonText('1'), fails])).toThrow('no');
    expect(stringifyJson([new JsonText('2')])).toBe('[2]');
  });
});
