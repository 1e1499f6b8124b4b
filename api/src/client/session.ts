import { ApiError } from './errors.ts';

/** Ways to get a token. */
export interface TokenSource {
  /** Logs in; undefined when there are no credentials to log in with. */
  readonly logIn: (() => Promise<string>) | undefined;
  /** A new token for one that is still valid. */
  readonly refresh: (token: string) => Promise<string>;
}

/** One token for all calls of a client, renewed before it expires. */
export interface ClientSession {
  /** The token to send now; undefined when there is none and no way to get one. */
  current(): Promise<string | undefined>;
  /** A token other than the one that was refused; undefined when there is no way to get one. */
  insteadOf(refused: string | undefined): Promise<string | undefined>;
  /** The token as it is, however old. */
  known(): string | undefined;
  /** Keeps a token that the server has just given. */
  readonly adopt: (token: string) => void;
  readonly forget: () => void;
}

interface KeptToken {
  readonly token: string;
  /** Milliseconds since 1970 from which on the token is renewed before use. */
  readonly renewOn: number;
}

export function createSession(
  source: TokenSource,
  givenToken: string | undefined,
  onToken: (token: string) => void = () => undefined,
): ClientSession {
  let kept = givenToken === undefined ? undefined : givenBefore(givenToken);
  const share = createSharing<string>();
  const adopt = (token: string): string => {
    kept = givenNow(token);
    onToken(token);
    return token;
  };
  // However many calls find the token missing or old, one asks the server, and all use its answer.
  const once = (renew: () => Promise<string>) => share(async () => adopt(await renew()));
  return {
    async current() {
      if (kept === undefined) return source.logIn && once(source.logIn);
      const { token, renewOn } = kept;
      return Date.now() < renewOn ? token : once(() => refreshOrLogIn(source, token));
    },
    async insteadOf(refused) {
      if (kept !== undefined && kept.token !== refused) return kept.token;
      return source.logIn && once(source.logIn);
    },
    known: () => kept?.token,
    adopt,
    forget: () => (kept = undefined),
  };
}

/** Shares a piece of work: all calls while it runs get its result. */
function createSharing<T>(): (work: () => Promise<T>) => Promise<T> {
  let running: Promise<T> | undefined;
  return (work) => {
    running ??= work().finally(() => (running = undefined));
    return running;
  };
}

async function refreshOrLogIn(source: TokenSource, token: string): Promise<string> {
  try {
    return await source.refresh(token);
  } catch (error) {
    const isRefused = error instanceof ApiError && error.status === 401;
    if (isRefused && source.logIn !== undefined) return source.logIn();
    throw error;
  }
}

function givenBefore(token: string): KeptToken {
  const { expiresOn, lifetime } = timesOf(token);
  return { token, renewOn: expiresOn - marginOf(lifetime) };
}

// Counted from now and not from the token's own times, so that a client whose clock is wrong does not renew on every call.
function givenNow(token: string): KeptToken {
  const { lifetime } = timesOf(token);
  return { token, renewOn: Date.now() + lifetime - marginOf(lifetime) };
}

function marginOf(lifetime: number): number {
  return Math.min(60_000, lifetime / 4);
}

/** When a JWT expires and how long it lives, in milliseconds; for ever when the token does not tell. */
function timesOf(token: string): { expiresOn: number; lifetime: number } {
  const { exp, iat } = claimsOf(token);
  const expiresOn = typeof exp === 'number' ? exp * 1000 : Infinity;
  const issuedOn = typeof iat === 'number' ? iat * 1000 : Date.now();
  return { expiresOn, lifetime: Math.max(0, expiresOn - issuedOn) };
}

function claimsOf(token: string): { exp?: unknown; iat?: unknown } {
  try {
    const part = token.split('.')[1] ?? '';
    const claims: unknown = JSON.parse(atob(part.replaceAll('-', '+').replaceAll('_', '/')));
    return typeof claims === 'object' && claims !== null ? claims : {};
  } catch {
    return {};
  }
}
