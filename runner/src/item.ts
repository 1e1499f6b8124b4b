import type { Schemas } from '@millrace/api';

/** A work item that this runner holds. `Json` is the shape of its data, which the model of the queue guards. */
export type WorkItem<Json = Record<string, unknown>> = Omit<
  Schemas['WorkItem'],
  'id' | 'queueId' | 'version' | 'json'
> &
  Required<Pick<Schemas['WorkItem'], 'id' | 'queueId' | 'version'>> & { readonly json: Json };

/** The outcome of an item, as it is sent to the server. */
export type Report = Schemas['WorkItemReport'];

/** The tools of a handler while it works on an item. */
export interface Work {
  /**
   * Tells people how far the item has come. Resolves when the server has answered, or could not be reached; waiting for it is
   * not necessary.
   * @param percent from 0 to 100
   */
  readonly progress: (percent: number, text?: string) => Promise<void>;
  /**
   * Marks that the item cannot be tried again from here on, as before a payment. Resolves when the server has it on disk: only then
   * go on. Should the lease expire afterwards, a person is asked what happened, instead of another runner doing it twice.
   * @throws LeaseLost, Cancelled or RunnerStopped when the handler must not go on
   */
  readonly pointOfNoReturn: () => Promise<void>;
  /** Aborted when the item is taken away or cancelled, or the runner stops for good; the handler should end then. */
  readonly signal: AbortSignal;
  /** Writes a line to the log of the runner and to the item, which keeps the newest 16,384 characters. */
  readonly log: (text: string) => void;
  /** Adds tags to the item; they go with its report. */
  readonly tag: (...tags: string[]) => void;
  /** Describes the result in free words; they go with the report. */
  readonly resultText: (text: string) => void;
}

/**
 * Does the work of one item. Its return value becomes the item's output. A BusinessError fails the item for good, Defer puts it
 * aside, GiveBack returns it untried, and any other error is a technical failure, which is tried again as often as the queue allows.
 */
export type Handler<Json = Record<string, unknown>> = (
  item: WorkItem<Json>,
  work: Work,
) => object | undefined | void | Promise<object | undefined | void>;
