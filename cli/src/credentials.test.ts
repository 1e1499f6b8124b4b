import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { credentialsFile, readCredentials, removeCredentials, writeCredentials } from './credentials.ts';

const credentials = { url: 'http://a', token: 't', givenOn: 1 };
let base: string;
let folder: string;

beforeEach(() => {
  base = mkdtempSync(path.join(tmpdir(), 'millrace-credentials-'));
  folder = path.join(base, 'config', 'millrace');
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

test('a log-in is kept in a file that only its owner can read', () => {
  expect(readCredentials(folder)).toBeUndefined();
  writeCredentials(folder, credentials);
  expect(readCredentials(folder)).toEqual(credentials);
  expect(statSync(credentialsFile(folder)).mode & 0o777).toBe(0o600);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
});

test('a new log-in takes the place of the old, is closed to others again and leaves no draft', () => {
  writeCredentials(folder, credentials);
  chmodSync(credentialsFile(folder), 0o644);
  writeCredentials(folder, { ...credentials, token: 'u' });
  expect(readCredentials(folder)?.token).toBe('u');
  expect(statSync(credentialsFile(folder)).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['credentials.json']);
});

test('a forgotten log-in is gone, and forgetting it again is no error', () => {
  writeCredentials(folder, credentials);
  removeCredentials(folder);
  removeCredentials(folder);
  expect(readCredentials(folder)).toBeUndefined();
});

test.each(['{', '{}', '[]', '{"url":"http://a","token":5,"givenOn":1}'])(
  'the damaged file %s is refused with a remedy',
  (text) => {
    writeCredentials(folder, credentials);
    writeFileSync(credentialsFile(folder), text);
    expect(() => readCredentials(folder)).toThrow('is damaged. Run `millrace logout`');
  },
);
