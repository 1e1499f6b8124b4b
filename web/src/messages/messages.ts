import { number } from './english.ts';
import { inLanguage } from './language.ts';

const en = {
  number,
  common: {
    breadcrumb: 'Where this is',
    close: 'Close',
    cancel: 'Cancel',
    logOut: 'Log out',
  },
  status: {
    NEW: 'New',
    IN_PROGRESS: 'In progress',
    COMPLETE: 'Complete',
    FAILED: 'Failed',
    DEFERRED: 'Deferred',
    IN_DOUBT: 'In doubt',
  },
};

/** The texts shared by several rooms. Each room has the rest in a file of its own, which is loaded with its pages. */
export const m = inLanguage({ en });
