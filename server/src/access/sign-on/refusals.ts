import { Refusal } from '../../engine/errors.ts';
import type { ProviderSettings } from './settings.ts';

/** A refused sign-on: the message for its person, and the reason for the record. */
export class SignOnRefusal extends Refusal {
  readonly reason: string;

  constructor(code: 'UNAUTHENTICATED' | 'FORBIDDEN' | 'UNAVAILABLE', message: string, reason: string) {
    super(code, message, code === 'UNAVAILABLE' ? { retryAfter: 5 } : {});
    this.reason = reason;
  }
}

export function forbidden({ title }: Pick<ProviderSettings, 'title'>, reason: string): SignOnRefusal {
  return new SignOnRefusal(
    'FORBIDDEN',
    `${title} knows you, but you are not among those who may use Millrace. Ask who runs it here.`,
    reason,
  );
}
