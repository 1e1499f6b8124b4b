import autocannon from 'autocannon';

/** What a scenario sends: one request after the other on each connection, each made from the answer before. */
export interface Scenario {
  readonly name: string;
  readonly connections: number;
  readonly steps: readonly Step[];
  /** Items that one round of the steps moves. */
  readonly items: number;
}

export interface Step {
  readonly path: string;
  /** The body, given what the last answer of this connection was. */
  readonly body: (last: string) => string;
}

export interface Rates {
  readonly requests: number;
  readonly items: number;
}

const seconds = 4;
const warmUpSeconds = 1;

/** Runs a scenario against a server. @throws Error when an answer is no success: a refusal is quick, and proves nothing. */
export async function measure(url: string, token: string, scenario: Scenario): Promise<Rates> {
  await run(url, token, scenario, warmUpSeconds);
  const { requests, duration, non2xx, errors } = await run(url, token, scenario, seconds);
  if (non2xx + errors > 0) throw new Error(`${scenario.name}: ${non2xx} refusals and ${errors} failures`);
  const rate = requests.total / duration;
  return { requests: rate, items: (rate / scenario.steps.length) * scenario.items };
}

function run(url: string, token: string, { connections, steps }: Scenario, duration: number) {
  const headers = { 'content-type': 'application/json', 'x-authorization': token };
  return autocannon({
    url,
    connections,
    duration,
    requests: steps.map(({ path, body }) => ({
      method: 'POST' as const,
      path,
      headers,
      setupRequest: (request: autocannon.Request, context: { last?: string }) => ({
        ...request,
        body: body(context.last ?? ''),
      }),
      onResponse: (_: number, answer: string, context: { last?: string }) => {
        context.last = answer;
      },
    })),
  });
}
