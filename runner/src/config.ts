/** The environment of this process as a bot may see it: without MILLRACE_ settings, which hold the runner's credentials. */
export function inheritedEnvironment(environment: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const entries = Object.entries(environment).filter(([name]) => !name.toUpperCase().startsWith('MILLRACE_'));
  return Object.fromEntries(entries);
}
