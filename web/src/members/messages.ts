import { inLanguage } from '../messages/language.ts';
import { m as common } from '../messages/messages.ts';

const en = {
  members: {
    title: 'Members',
    people: 'People',
    name: 'User',
    role: 'May',
    roles: {
      OWNER: 'Owner: everything',
      MEMBER: 'Member: put in, repair',
      PARTICIPANT: 'Participant: put in, look',
    },
    roleOf: (name: string) => `What ${name} may`,
    mayNot: 'Only owners and queue admins may change who belongs to it.',
    offText:
      'The user cannot do any more what the role in this queue allowed. This can be undone by adding the user again.',
    offConsumerText:
      'Users with this role cannot claim its items by the role any more. This can be undone by adding the role again.',
    remove: (name: string) => `Take off ${name}`,
    removed: (name: string) => `${name} does not belong to the queue any more.`,
    saved: (name: string) => `Saved: ${name}.`,
    off: 'Take off',
    add: 'Add',
    user: 'User to add',
    userHelp: 'You may not list users: give the id of one.',
    choose: '– choose –',
    consumers: 'Who works on its items',
    consumersText: 'Users with these roles may claim items and report on them.',
    consumer: 'Role to add',
    noConsumers: 'No role may claim by itself.',
    none: 'Nobody yet.',
  },
};

/** The texts of the members page. */
export const m = { ...common, ...inLanguage({ en }) };
