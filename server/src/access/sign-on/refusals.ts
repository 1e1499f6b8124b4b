import { Refusal } from '../../engine/errors.ts';

/** A refused sign-on: the message for its person, and the reason for the record. */
export class SignOnRefusal extends Refusal {
  readonly reason: string;

  constructor(code: 'UNAUTHENTICATED' | 'FORBIDDEN' | 'UNAVAILABLE', message: string, reason: string) {
    super(code, message, code === 'UNAVAILABLE' ? { retryAfter: 5 } : {});
    this.reason = reason;
  }
}
