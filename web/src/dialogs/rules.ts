import { operations, stringifyJson, type Operation } from '@millrace/api';
import type { Request } from '../connection/request.ts';

type Values = Readonly<Record<string, unknown>>;

/** The command that makes the call; undefined where the command line has none. */
export function commandOf({ operationId, input }: Request): string | undefined {
  const { cli, path, body, bodyRequired }: Operation = operations[operationId];
  if (cli === null || body === 'file') return undefined;
  const given = (input.path ?? {}) as Values;
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => quoted(text(given[name])));
  const flags = Object.entries((input.query ?? {}) as Values).flatMap(([name, value]) => flagOf(name, value));
  const hasBody = body === 'json' && (bodyRequired || !isEmpty(input.body));
  const whole = hasBody ? [`--body ${quoted(stringifyJson(input.body ?? {}))}`] : [];
  return ['millrace', cli, ...names, ...flags, ...whole].join(' ');
}

/** The call for curl, with the server and the token from variables of the shell. */
export function curlOf({ operationId, input }: Request): string {
  const { method, path, body }: Operation = operations[operationId];
  const given = (input.path ?? {}) as Values;
  const place = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(text(given[name])));
  const parameters = Object.entries((input.query ?? {}) as Values).map(
    ([name, value]) => `${name}=${encodeURIComponent(text(value))}`,
  );
  const address = parameters.length > 0 ? `${place}?${parameters.join('&')}` : place;
  const lines = [
    `curl -X ${method} "$URL${address}"`,
    '-H "Authorization: Bearer $TOKEN"',
    ...(body === 'json'
      ? ["-H 'Content-Type: application/json'", `-d ${quoted(stringifyJson(input.body ?? {}))}`]
      : []),
  ];
  return lines.join(' \\\n  ');
}

function flagOf(name: string, value: unknown): string[] {
  const flag = `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  if (value === undefined || value === false) return [];
  return value === true ? [flag] : [flag, quoted(text(value))];
}

/** A text quoted for a shell, whatever it contains. */
export function quoted(word: string): string {
  return /^[\w.,:/@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : stringifyJson(value ?? '');
}

function isEmpty(body: unknown): boolean {
  return body === undefined || Object.keys(body as object).length === 0;
}
