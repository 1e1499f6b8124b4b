import type { Exit } from './process.ts';

export function describeExit({ exitCode, signal }: Exit): string {
  return signal === null ? `Exit code ${String(exitCode)}.` : `Ended by ${signal}.`;
}

export function describeTimeout(seconds: number): string {
  return `Timed out after ${String(seconds)} seconds; the command and all it had started were killed.`;
}

/** A message with the end of stderr below it. */
export function withTail(what: string, stderr: string): string {
  return stderr === '' ? what : `${what}\n${stderr}`;
}
