import type { Client } from '@millrace/api';
import type { Terminal } from '../terminal.ts';

/** A server of the demo's own, on a fresh database. */
export interface DemoServer {
  readonly url: string;
  readonly password: string;
  readonly admin: Client;
  /** Holds all that is removed at the end. */
  readonly folder: string;
}

/** Undoes something that a story has begun. */
export type Undo = () => void | Promise<void>;

/** What a story is told on. */
export interface Stage {
  readonly terminal: Terminal;
  readonly server: DemoServer;
  /** Aborted when the story is to end before its end. */
  readonly signal: AbortSignal;
  /** Has something undone at the end, however the story ends; the newest first. */
  readonly atEnd: (undo: Undo) => void;
}

/** How a story ended. */
export interface Ending {
  /** What became of everything, for people. */
  readonly text: string;
  /** The same for programs. */
  readonly record: object;
  /** What happened though it never must, a sentence each. */
  readonly wrongs: readonly string[];
}

/** Plays a story on a stage, and says what became of everything. */
export type Story = (stage: Stage) => Promise<Ending>;
