import type { Schemas } from '@millrace/api';

/** A provider by which people sign on instead of with a password, as set by the operator. */
export interface Provider {
  /** The name for programs and the record. */
  readonly name: string;
  /** The name for people. */
  readonly title: string;
  /** The name of the tenant whose people it knows. */
  readonly tenant: string;
  /** The address to which the browser returns, at the console or at a program that listens on a port of its machine. */
  redirectUri(port: number | undefined): string;
  /** The address at which the browser signs on. @throws Refusal UNAVAILABLE when the provider does not answer */
  begin(signOn: BegunSignOn): Promise<string>;
  /** The person proved by the answer of the provider. @throws Refusal */
  prove(signOn: BegunSignOn, answer: Schemas['SignOnAnswer']): Promise<Person>;
  /** The address at which the browser logs out of the provider as well; undefined where that is not wanted, or not possible. */
  logOutUrl(): Promise<string | undefined>;
}

/** A sign-on that was begun. */
export interface BegunSignOn {
  /** The source of the state, nonce and verifier of the protocol. */
  readonly secret: string;
  readonly redirectUri: string;
}

/** A person known to a provider. */
export interface Person {
  readonly issuer: string;
  /** Their permanent id at the provider. */
  readonly subject: string;
  readonly username: string;
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
  /** The names of the roles for them. */
  readonly roles: readonly string[];
  /** Why nobody lets them in, whatever groups they are in; a sentence for the record. */
  readonly barred?: string | undefined;
}
