import type { Schemas } from '@millrace/api';

/** A provider by which people sign on instead of with a password, as the operator has set it. */
export interface Provider {
  /** As programs and the record have it. */
  readonly name: string;
  /** As people know it. */
  readonly title: string;
  /** The name of the tenant whose people it knows. */
  readonly tenant: string;
  /** Where the browser comes back to, at the console or at a program that listens on a port of its machine. */
  redirectUri(port: number | undefined): string;
  /** Where the browser goes to sign on. @throws Refusal UNAVAILABLE when the provider does not answer */
  begin(signOn: BegunSignOn): Promise<string>;
  /** The person whom the answer of the provider proves. @throws Refusal */
  prove(signOn: BegunSignOn, answer: Schemas['SignOnAnswer']): Promise<Person>;
  /** Where the browser goes to log out at the provider as well; undefined where that is not to be, or not possible. */
  logOutUrl(): Promise<string | undefined>;
}

/** A sign-on that was begun. */
export interface BegunSignOn {
  /** From which state, nonce and proof of the protocol follow. */
  readonly secret: string;
  readonly redirectUri: string;
}

/** Somebody whom a provider knows. */
export interface Person {
  readonly issuer: string;
  /** Their id there, which stays. */
  readonly subject: string;
  readonly username: string;
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
  /** The names of the roles that they are to have. */
  readonly roles: readonly string[];
  /** Why nobody lets them in, whatever groups they are in; a sentence for the record. */
  readonly barred?: string | undefined;
}
