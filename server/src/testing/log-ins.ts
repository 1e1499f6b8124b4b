import { password, startApp, type Answer, type App, type Caller } from './app.ts';

/** An application, and the calls that tests of log-ins and sessions need. */
interface LogIns {
  readonly app: App;
  /** Calls without a token. */
  readonly anyone: Caller;
  /** Logs in with the password of all users, or another one. */
  readonly logIn: (username: string, given?: string) => Promise<Answer<'logIn'>>;
  /** Whether operations accept a token. */
  readonly isAccepted: (token: string) => Promise<boolean>;
}

/** Starts an application whose users log in and out. */
export async function startForLogIns(): Promise<LogIns> {
  const app = await startApp();
  const anyone = app.as(undefined);
  return {
    app,
    anyone,
    logIn: (username, given = password) => anyone.logIn({ body: { username, password: given } }),
    isAccepted: async (token) => (await app.as(token).listQueues()).status === 200,
  };
}
