import type { ChildProcess } from 'node:child_process';
import type { Client } from '@millrace/api';
import type pico from 'picocolors';

export type Colors = ReturnType<typeof pico.createColors>;

/** The outputs of a story: data for programs and people to stdout, all else to stderr. */
export interface Terminal {
  /** Writes a line of data. */
  readonly out: (text: string) => void;
  /** Writes a line for the person at the terminal. */
  readonly say: (text: string) => void;
  /** Colours for `say`. */
  readonly sayColors: Colors;
  /** Whether moving lines can be drawn. */
  readonly isLive: boolean;
  /** Columns of the screen, when there is one. */
  readonly width: number | undefined;
}

/** Lines at the foot of the terminal that change in place. */
export interface LiveLine {
  readonly update: (text: string) => void;
  /** Writes a line above. */
  readonly say: (text: string) => void;
  readonly end: () => void;
}

/** Settings of a process, on top of the environment of this one. */
type Settings = Readonly<Record<string, string>>;
type Streams = readonly ['ignore', 'ignore', 'ignore' | 'pipe'];

/** The means that the command line lends to the demo. Each process that it starts stops in good order when this one dies. */
export interface Host {
  readonly terminal: Terminal;
  readonly liveLine: LiveLine;
  readonly spawnServer: (settings: Settings, streams: Streams) => ChildProcess;
  /** Starts a command of `millrace`. */
  readonly spawnMillrace: (args: readonly string[], settings: Settings, streams: Streams) => ChildProcess;
  /** Starts a file of TypeScript, the first argument. */
  readonly spawnScript: (args: readonly string[], settings: Settings, streams: Streams) => ChildProcess;
}

/** A server of the demo's own, on a fresh database. */
export interface DemoServer {
  readonly url: string;
  readonly password: string;
  readonly admin: Client;
  /** Holds everything that is removed at the end. */
  readonly folder: string;
}

/** Undoes something that a story has begun. */
export type Undo = () => void | Promise<void>;

/** The stage that a story is told on. */
export interface Stage extends Host {
  readonly server: DemoServer;
  /** Aborted when the story is to end before its end. */
  readonly signal: AbortSignal;
  /** Undoes something at the end, however the story ends; the newest first. */
  readonly atEnd: (undo: Undo) => void;
}

/** The ending of a story. */
export interface Ending {
  /** The outcome, for people. */
  readonly text: string;
  /** The same for programs. */
  readonly record: object;
  /** The things that happened though they never must, a sentence each. */
  readonly wrongs: readonly string[];
}

/** Plays a story on a stage, and reports the outcome. */
export type Story = (stage: Stage) => Promise<Ending>;
