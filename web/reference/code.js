import { answerOf, isStream } from './contract.js';
import { targetOf } from './example.js';
import { parts } from './json.js';

/**
 * @typedef {import('./contract.js').Contract} Contract
 * @typedef {import('./contract.js').PlacedOperation} PlacedOperation
 * @typedef {import('./example.js').Values} Values
 * @typedef {{ kind?: string | undefined, part: string }} Part a piece of text, with what it is in JSON
 *
 * @typedef {object} Call a request, apart from the language that sends it
 * @property {string} method
 * @property {string} target path and query
 * @property {boolean} hasToken
 * @property {boolean} takesFile
 * @property {string} [body] JSON
 * @property {'json' | 'stream' | 'nothing'} answer
 *
 * @typedef {{ id: string, title: string, write: (call: Call, server: string) => (string | Part[])[] }} Language
 */

/**
 * @param {Contract} contract
 * @param {PlacedOperation} operation
 * @param {Values} values
 * @returns {Call}
 */
export function callOf(contract, operation, { parameters, body }) {
  const answersJson = answerOf(contract, operation)?.content['application/json'];
  return {
    method: operation.method,
    target: targetOf(operation, parameters),
    hasToken: operation.security?.length !== 0,
    takesFile: Boolean(operation.requestBody?.content['multipart/form-data']),
    ...(body && { body }),
    answer: isStream(operation) ? 'stream' : answersJson ? 'json' : 'nothing',
  };
}

/**
 * The code that sends a request.
 * @param {Language} language
 * @param {Call} call
 * @param {string} server its address
 * @returns {Part[]}
 */
export function codeOf({ write }, call, server) {
  return write(call, server).flatMap((piece) => (typeof piece === 'string' ? [{ part: piece }] : piece));
}

/**
 * The languages that requests are shown in, the one for a first visit first.
 * @type {Language[]}
 */
export const languages = [
  { id: 'curl', title: 'curl', write: curl },
  { id: 'javascript', title: 'JavaScript', write: javascript },
  { id: 'python', title: 'Python', write: python },
];

/** @param {Call} call */
function curl({ method, target, hasToken, takesFile, body, answer }) {
  const impliesMethod = method === 'GET' || (method === 'POST' && (body || takesFile));
  const url = `$URL${target}`;
  const options = [
    `curl${answer === 'stream' ? ' -N' : ''}${impliesMethod ? '' : ` -X ${method}`} ${/^[\w$/.~-]+$/.test(url) ? url : `"${url}"`}`,
    hasToken && '-H "Authorization: Bearer $TOKEN"',
    body && "-H 'Content-Type: application/json'",
    takesFile && '-F file=@items.csv',
    body && "-d '",
  ].filter(Boolean);
  const quoted = body ? [changed(body, ({ part }) => part.replaceAll("'", String.raw`'\''`)), "'"] : [];
  return [options.join(' \\\n  '), ...quoted];
}

/**
 * A program for Node, as a module.
 * @param {Call} call
 * @param {string} server
 */
function javascript({ method, target, hasToken, takesFile, body, answer }, server) {
  const headers = [
    hasToken && '    Authorization: `Bearer ${process.env.TOKEN}`,\n',
    body && '    "Content-Type": "application/json",\n',
  ].filter(Boolean);
  const options = [
    ...(method === 'GET' ? [] : [`  method: "${method}",\n`]),
    ...(headers.length > 0 ? [`  headers: {\n${headers.join('')}  },\n`] : []),
    ...(takesFile ? ['  body: form,\n'] : []),
    ...(body ? javascriptBody(body) : []),
  ];
  return [
    takesFile ? javascriptFile : '',
    `const url = ${JSON.stringify(server + target)};\nconst response = await fetch(url`,
    ...(options.length > 0 ? [', {\n', ...options, '}'] : []),
    ');\nif (!response.ok) throw new Error(await response.text());\n',
    javascriptAnswer[answer],
  ];
}

const javascriptFile = `import { readFile } from "node:fs/promises";

const form = new FormData();
form.append("file", new Blob([await readFile("items.csv")]), "items.csv");

`;

const javascriptAnswer = {
  json: 'console.log(await response.json());',
  stream:
    'for await (const part of response.body.pipeThrough(new TextDecoderStream()))\n  process.stdout.write(part);',
  nothing: 'console.log(response.status);',
};

/** @param {string} body */
function javascriptBody(body) {
  // Numbers of more digits than a double holds would be sent as others.
  const isExact = parts(body).every(
    ({ kind, part }) => kind !== 'number' || part.replaceAll(/\D/g, '').length < 16,
  );
  if (!isExact)
    return [`  body: \``, changed(body, ({ part }) => part.replaceAll(/[\\`$]/g, '\\$&')), '`,\n'];
  return ['  body: JSON.stringify(', changed(body, indented('  ')), '),\n'];
}

/**
 * @param {Call} call
 * @param {string} server
 */
function python({ method, target, hasToken, takesFile, body, answer }, server) {
  return [
    `${hasToken ? 'import os\n\n' : ''}import requests\n\nresponse = requests.${method.toLowerCase()}(\n`,
    `    ${JSON.stringify(server + target)},\n`,
    hasToken ? `    headers={"Authorization": f"Bearer {os.environ['TOKEN']}"},\n` : '',
    takesFile ? '    files={"file": open("items.csv", "rb")},\n' : '',
    ...(body ? ['    json=', changed(body, pythonic), ',\n'] : []),
    answer === 'stream' ? '    stream=True,\n' : '',
    ')\nif not response.ok:\n    raise SystemExit(response.text)\n',
    pythonAnswer[answer],
  ];
}

const pythonAnswer = {
  json: 'print(response.json())',
  stream: 'for line in response.iter_lines():\n    print(line.decode())',
  nothing: 'print(response.status_code)',
};

/** @type {Record<string, string>} */
const pythonWords = { true: 'True', false: 'False', null: 'None' };

/** @param {Part} part */
function pythonic({ kind, part }) {
  return kind === 'word' ? (pythonWords[part] ?? part) : indented('    ')({ part });
}

/**
 * @param {string} space
 * @returns {(part: Part) => string}
 */
function indented(space) {
  return ({ part }) => part.replaceAll('\n', `\n${space}`);
}

/**
 * The parts of a body, each written as the language wants it.
 * @param {string} body
 * @param {(part: Part) => string} write
 * @returns {Part[]}
 */
function changed(body, write) {
  return parts(body).map(({ kind, part }) => ({ kind, part: write({ kind, part }) }));
}
