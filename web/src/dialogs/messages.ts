import { inLanguage } from '../messages/language.ts';
import { m as common } from '../messages/messages.ts';

const en = {
  dialogs: {
    script: 'As command, as curl',
    command: 'Command',
    curl: 'curl',
    reference: (operation: string) => `${operation} in the API reference`,
    copy: 'Copy',
    copyOf: (what: string) => `Copy ${what}`,
    copied: 'Copied.',
    enter: '↵ Enter',
    whileAway: 'The server does not answer. This can be done once it does.',
    unsentTitle: 'Leave without sending?',
    unsent: 'What you have changed on this page was not sent yet. It is gone when you leave.',
    stay: 'Stay here',
    discard: 'Leave, and discard it',
    meanwhile: 'Somebody has changed it meanwhile. Nothing of yours is lost:',
    asSeen: 'What is edited here is as you saw it; something else of it has changed.',
    clashes: (names: string) =>
      `You have changed this as well, and your value would go in its place: ${names}.`,
    apply: 'Apply mine to theirs',
    what: 'What',
    youSaw: 'As you saw it',
    now: 'As it is now',
    none: 'none',
    yes: 'yes',
    no: 'no',
  },
};

/** The texts of every dialog. */
export const m = { ...common, ...inLanguage({ en }) };
