import { count, items } from '../messages/english.ts';
import { inLanguage } from '../messages/language.ts';
import { m as common } from '../messages/messages.ts';

const en = {
  models: {
    title: 'Models',
    empty: 'There is no model yet.',
    emptyText: 'A model says which attributes the items of its queues have. It is made with the first queue:',
    newQueue: 'New queue',
    name: 'Name',
    queues: 'Queues that use it',
    noQueues: 'no queue',
    attributes: 'Attributes',
    version: 'Version',
    changed: 'Changed',
    archived: 'Archived',
    attribute: 'Attribute',
    type: 'Type',
    required: 'Required',
    optional: 'optional',
    sensitive: 'Sensitive',
    sensitivities: { NONE: 'No', PERSONAL: 'Personal', SECRET: 'Secret' },
    sensitivityOf: (name: string) => `Whether ${name} is sensitive`,
    hides: (names: string) =>
      `Values of ${names} are masked at once, for all but who holds the item, and encrypted in the background.`,
    shows: (names: string) => `Values of ${names} are shown to all who see the queue.`,
    formerly: 'Formerly',
    former: (name: string, until: number) => `${name} until version ${until}`,
    absent: (until: number) => `not there until version ${until}`,
    beside: 'Beside version',
    noneBeside: '– none –',
    inVersion: (version: number) => `In version ${version}`,
    missing: '–',
    types: { TEXT: 'Text', NUMBER: 'Number', DATE: 'Date', BOOLEAN: 'Yes or no' },
    nameOf: (position: number) => `Name of attribute ${position}`,
    typeOf: (name: string) => `Type of ${name}`,
    isRequired: (name: string) => `${name} is required`,
    up: (name: string) => `Move ${name} up`,
    remove: (name: string) => `Remove ${name}`,
    add: 'Add an attribute',
    change: 'Change',
    mayNot: 'For its maker and queue admins: it changes all queues that use it.',
    try: 'Try the change',
    apply: 'Apply',
    trying: 'Trying it on the items that are open …',
    nothing: 'Nothing is changed yet.',
    holds: (queues: number, open: number) =>
      `It holds in ${count(queues, 'queue', 'queues')} with ${items(open)} open.`,
    fits: 'All of them fit.',
    invalid: (amount: number) => `${items(amount)} would not fit any more; correct them first:`,
    applied: (version: number) => `Applied: this is version ${version}.`,
    itemsOf: (name: string) => `Items of ${name}`,
  },
};

/** What is said of models. */
export const m = { ...common, ...inLanguage({ en }) };
