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
  },
};

/** The texts of every dialog. */
export const m = { ...common, ...inLanguage({ en }) };
