import { describe, expect, test } from 'vitest';

interface Call {
  readonly method: string;
  readonly target: string;
  readonly hasToken: boolean;
  readonly takesFile: boolean;
  readonly body?: string;
  readonly answer: 'json' | 'stream' | 'nothing';
}
interface Code {
  readonly languages: { id: string }[];
  readonly codeOf: (language: { id: string }, call: Call, server: string) => { part: string }[];
}

// A module for the browser: its types are those of the browser, which the tests do not have.
const { languages, codeOf } = (await import(new URL('code.js', import.meta.url).href)) as Code;

const read: Call = {
  method: 'GET',
  target: '/v4/wlm/queues/7',
  hasToken: true,
  takesFile: false,
  answer: 'json',
};
const write: Call = {
  ...read,
  method: 'PUT',
  body: '{\n  "name": "Anna\'s",\n  "isOpen": true, "until": null\n}',
};

function code(id: string, call: Call): string {
  const language = languages.find((one) => one.id === id);
  if (!language) throw new Error(`There is no language ${id}`);
  return codeOf(language, call, 'http://127.0.0.1:8080')
    .map(({ part }) => part)
    .join('');
}

describe('curl', () => {
  test('sends the token, and quotes the body for a shell', () => {
    expect(code('curl', write)).toBe(`curl -X PUT $URL/v4/wlm/queues/7 \\
  -H "Authorization: Bearer $TOKEN" \\
  -H 'Content-Type: application/json' \\
  -d '{
  "name": "Anna'\\''s",
  "isOpen": true, "until": null
}'`);
  });

  test('quotes an address that a shell would read otherwise', () => {
    expect(code('curl', { ...read, target: '/v4/wlm/events?last=5&limit=2' })).toMatch(
      /^curl "\$URL\/v4\/wlm\/events\?last=5&limit=2" /,
    );
    expect(code('curl', { ...read, target: "/v4/wlm/queues/it's" })).toMatch(/^curl "\$URL/);
  });
});

describe('JavaScript', () => {
  test('sends token and body with fetch', () => {
    expect(code('javascript', write)).toBe(`const url = "http://127.0.0.1:8080/v4/wlm/queues/7";
const response = await fetch(url, {
  method: "PUT",
  headers: {
    Authorization: \`Bearer \${process.env.TOKEN}\`,
    "Content-Type": "application/json",
  },
  body: JSON.stringify({
    "name": "Anna's",
    "isOpen": true, "until": null
  }),
});
if (!response.ok) throw new Error(await response.text());
console.log(await response.json());`);
  });

  test('asks for what anybody may see without more', () => {
    expect(code('javascript', { ...read, hasToken: false })).toContain('await fetch(url);\n');
  });

  test('sends a number that a double cannot hold as text, to the last digit', () => {
    const sent = code('javascript', {
      ...write,
      body: '{ "id": 9007199254740993, "note": "a ${b} `c` \\\\" }',
    });
    expect(sent).toContain('body: `{ "id": 9007199254740993, "note": "a \\${b} \\`c\\` \\\\\\\\" }`,\n');
  });

  test('reads a stream as it comes, and no body where there is none', () => {
    expect(code('javascript', { ...read, answer: 'stream' })).toContain('for await (const part of');
    expect(code('javascript', { ...read, method: 'DELETE', answer: 'nothing' })).toMatch(
      /console\.log\(response\.status\);$/,
    );
  });
});

describe('Python', () => {
  test("sends token and body with requests, in Python's words", () => {
    expect(code('python', write)).toBe(`import os

import requests

response = requests.put(
    "http://127.0.0.1:8080/v4/wlm/queues/7",
    headers={"Authorization": f"Bearer {os.environ['TOKEN']}"},
    json={
      "name": "Anna's",
      "isOpen": True, "until": None
    },
)
if not response.ok:
    raise SystemExit(response.text)
print(response.json())`);
  });

  test('leaves words inside texts as they are', () => {
    expect(code('python', { ...write, body: '{ "null": "true or null" }' })).toContain(
      'json={ "null": "true or null" },',
    );
  });

  test('reads a stream as it comes, and no body where there is none', () => {
    const stream = code('python', { ...read, answer: 'stream' });
    expect(stream).toContain('    stream=True,\n');
    expect(stream).toContain('for line in response.iter_lines():');
    expect(code('python', { ...read, method: 'DELETE', answer: 'nothing' })).toMatch(
      /print\(response\.status_code\)$/,
    );
  });
});

test.each([
  ['curl', '-F file=@items.csv'],
  ['javascript', '  body: form,\n'],
  ['python', 'files={"file": open("items.csv", "rb")}'],
])('%s sends a file', (id, sent) => {
  const call = { ...read, method: 'POST', target: '/v4/wlm/queues/7/file', takesFile: true };
  expect(code(id, call)).toContain(sent);
});
