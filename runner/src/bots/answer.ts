import { BusinessError, Defer, GiveBack } from '../errors.ts';
import type { Work } from '../item.ts';
import { checkerOf } from '../schema.ts';

/** The report of a bot on its item, in the words of `finishWorkItems`. */
export interface Answer {
  readonly status: 'COMPLETE' | 'FAILED' | 'DEFERRED' | 'NEW';
  readonly output?: object;
  readonly failureKind?: 'BUSINESS' | 'SYSTEM';
  readonly error?: string;
  readonly deferredUntil?: string | null;
  /** The reason for deferring it or giving it back. */
  readonly reason?: string;
  readonly resultText?: string;
  readonly tags?: readonly string[];
}

export const answerSchema = {
  type: 'object',
  required: ['status'],
  additionalProperties: false,
  properties: {
    status: { enum: ['COMPLETE', 'FAILED', 'DEFERRED', 'NEW'] },
    output: { type: 'object' },
    failureKind: { enum: ['BUSINESS', 'SYSTEM'] },
    error: { type: 'string' },
    deferredUntil: { type: ['string', 'null'] },
    reason: { type: 'string' },
    resultText: { type: 'string' },
    tags: { type: 'array', items: { type: 'string' } },
  },
};

const check = checkerOf(answerSchema);

/** @throws Error that names the first member that is wrong */
export function readAnswer(value: unknown): Answer {
  const [problem] = check(value);
  if (problem !== undefined) throw new Error(`What the bot answered cannot be taken: ${problem}.`);
  return value as Answer;
}

/**
 * Ends a handler by a bot's answer.
 * @returns the output
 * @throws BusinessError, Defer, GiveBack or Error for items that are not done
 */
export function settle(
  answer: Answer,
  { tag, resultText }: Pick<Work, 'tag' | 'resultText'>,
): object | undefined {
  const { status, output, failureKind, error, deferredUntil, reason } = answer;
  if (answer.tags !== undefined) tag(...answer.tags);
  if (answer.resultText !== undefined) resultText(answer.resultText);
  switch (status) {
    case 'COMPLETE':
      return output;
    case 'DEFERRED':
      throw new Defer(deferredUntil == null ? undefined : new Date(deferredUntil), reason);
    case 'NEW':
      throw new GiveBack(reason ?? 'The bot gave it back.');
    case 'FAILED':
      throw failureKind === 'BUSINESS'
        ? new BusinessError(error)
        : new Error(error ?? 'The bot gave no reason.');
  }
}
