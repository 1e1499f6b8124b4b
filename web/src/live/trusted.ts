interface Policy {
  readonly createScriptURL: (url: string) => string;
}

declare global {
  interface Window {
    readonly trustedTypes?: {
      readonly createPolicy: (name: string, rules: Policy) => Policy;
    };
  }
}

/** The only way from a text to a script that the page's policy allows: scripts of this server. */
const rules: Policy = {
  createScriptURL: (url) => {
    if (new URL(url, location.href).origin !== location.origin) throw new TypeError(`${url} is elsewhere.`);
    return url;
  },
};

const policy = window.trustedTypes?.createPolicy('millrace', rules) ?? rules;

export function workerFrom(url: string): Worker {
  return new Worker(policy.createScriptURL(url), { type: 'module' });
}
