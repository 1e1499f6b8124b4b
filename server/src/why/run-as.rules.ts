import type { AutomationFacts, Reason, RunAsUserFacts } from './facts.ts';
import { listed, names } from './words.ts';

/** That nobody is left as whom the bot could work, now or ever; undefined when nobody is needed. */
export function disabledHindrance(automation: AutomationFacts): Reason | undefined {
  const { name, runAsUsers } = automation;
  if (runAsUsers.length === 0 || enabledUsers(automation).length > 0) return undefined;
  const [who, them] =
    runAsUsers.length === 1
      ? [`The run-as user ${namesOf(runAsUsers)} of the automation "${name}" is disabled`, 'this user']
      : [`All run-as users of the automation "${name}" are disabled: ${namesOf(runAsUsers)}`, 'one of them'];
  return {
    code: 'RUN_AS_USERS_DISABLED',
    sentence: `${who}. Enable ${them}, or give the automation another one.`,
    facts: factsOf(automation),
  };
}

/** That everybody as whom the bot could work is at work. */
export function takenHindrance(automation: AutomationFacts): Reason | undefined {
  const enabled = enabledUsers(automation);
  if (enabled.length === 0 || enabled.some(({ run }) => run === undefined)) return undefined;
  const disabled = automation.runAsUsers.filter(({ isDisabled }) => isDisabled);
  const [which, others] = disabled.length === 0 ? ['', ''] : ['enabled ', ` Disabled: ${namesOf(disabled)}.`];
  const [who, free] =
    enabled.length === 1
      ? [`The only ${which}run-as user`, 'this user']
      : [`All ${which}run-as users`, 'one of them'];
  const work = listed(enabled.map((user) => `"${user.name}" ${workOf(user)}`));
  return {
    code: 'RUN_AS_USERS_TAKEN',
    sentence: `${who} of the automation "${automation.name}" ${enabled.length === 1 ? 'is' : 'are'} at work: ${work}. The next item starts when ${free} is free.${others}`,
    facts: factsOf(automation),
  };
}

/** Those as whom the bot may work. */
export function enabledUsers({ runAsUsers }: AutomationFacts): readonly RunAsUserFacts[] {
  return runAsUsers.filter(({ isDisabled }) => !isDisabled);
}

function workOf({ run }: RunAsUserFacts): string {
  if (run?.automationName === undefined) return 'for another automation';
  return `on item ${run.itemId} (automation "${run.automationName}")`;
}

function namesOf(users: readonly RunAsUserFacts[]): string {
  return names(users.map(({ name }) => name));
}

function factsOf({ id, name, runAsUsers }: AutomationFacts) {
  const users = runAsUsers.slice(0, 100).map((user) => ({
    name: user.name,
    isDisabled: user.isDisabled,
    ...user.run,
  }));
  return { automationId: id, automationName: name, runAsUsers: users };
}
