import { describe, expect, test } from 'vitest';

interface Json {
  readonly layOut: (text: string, width?: number) => string;
  readonly parts: (text: string) => { kind: string | undefined; part: string }[];
}

// A module for the browser: its types are those of the browser, which the tests do not have.
const { layOut, parts } = (await import(new URL('json.js', import.meta.url).href)) as Json;

describe('layOut', () => {
  test('keeps every digit of a number, and every character of a text', () => {
    const text = String.raw`{"id":9007199254740993,"amount":0.10000000000000000055,"note":"a \"b\" {c}, [d]: \\"}`;
    expect(layOut(text, 10).replaceAll(/\n */g, '').replaceAll('": ', '":')).toBe(text);
  });

  test('puts on one line what fits', () => {
    expect(layOut('{"a":[1,2],"b":{}}')).toBe('{ "a": [1, 2], "b": {} }');
  });

  test('puts each member on a line of its own where they do not fit', () => {
    expect(layOut('{"list":[{"id":1,"status":"NEW"},{"id":2}],"on":true}', 24)).toBe(
      [
        '{',
        '  "list": [',
        '    {',
        '      "id": 1,',
        '      "status": "NEW"',
        '    },',
        '    { "id": 2 }',
        '  ],',
        '  "on": true',
        '}',
      ].join('\n'),
    );
  });

  test('reads what is no object, too', () => {
    expect(['1e400', '"a"', 'null', '[]'].map((text) => layOut(text))).toEqual([
      '1e400',
      '"a"',
      'null',
      '[]',
    ]);
  });
});

describe('parts', () => {
  test('say what each token is', () => {
    const kinds = parts('{ "a": "b", "n": -1.5e3, "t": true }').filter(({ kind }) => kind);
    expect(kinds.map(({ kind, part }) => `${kind} ${part}`)).toEqual([
      'key "a"',
      'text "b"',
      'key "n"',
      'number -1.5e3',
      'key "t"',
      'word true',
    ]);
  });

  test('are the whole text together', () => {
    const text = `{ "a": [1, "x"] }' and more`;
    expect(
      parts(text)
        .map(({ part }) => part)
        .join(''),
    ).toBe(text);
  });
});
