import { count, number } from '../messages/english.ts';
import { inLanguage } from '../messages/language.ts';
import { m as common } from '../messages/messages.ts';

const en = {
  audit: {
    title: 'Audit trail',
    text: 'Seals prove that nothing of the record of events was changed, put in or taken away later. Events are sealed within about a minute.',
    newest: 'Newest seal',
    waiting: 'Events that wait to be sealed',
    waitingFor: (amount: number) => (amount >= 10_000 ? '10,000 or more' : number(amount)),
    tenant: 'Tenant',
    nothing: 'Nothing is sealed yet.',
    note: 'Note this where nobody of the database can write',
    noteText:
      'In a mail, a ticket, on paper, every day or hour: whoever rules the database could cut off the end of the record, and only a seal that was noted elsewhere tells. It proves all that came before it.',
    head: 'Newest seal, with its hash',
    verify: 'Verify',
    verifyText:
      'Compares every event with its seal, and every seal with its signature and the one before it.',
    noted: 'A seal that was noted, as NUMBER:HASH (may be left empty)',
    notedWrong: 'That is no seal: it is a number, a colon, and 64 digits or letters a to f.',
    stop: 'Stop',
    under: (seals: string, all: string, events: number) =>
      `Seal ${seals} of ${all}, ${count(events, 'event', 'events')} …`,
    stopped: 'Stopped before the end.',
    sound: (events: number, seals: string, erased: number) =>
      `Everything is as it was sealed: ${count(events, 'event', 'events')} in ${seals} seals, ${number(erased)} of them erased by rule.`,
    unsound: (amount: number) => `Not as it was sealed: ${count(amount, 'problem', 'problems')}.`,
    problems: 'What is not as it was sealed',
    elsewhere: 'Prove it without Millrace',
    elsewhereText:
      'The file proves itself: who gets it needs Node.js and the script verify.mjs of the documents alone.',
    commands: 'Commands',
    keys: 'Keys that sign',
    key: 'Key',
    made: 'Made',
    retired: 'Retired',
    inUse: 'in use',
    retire: 'Seal with new keys',
    retireText:
      'The keys that sign now are retired. Each server makes itself another when it next seals; older seals can be verified as before.',
  },
};

/** The texts of the audit page. */
export const m = { ...common, ...inLanguage({ en }) };
