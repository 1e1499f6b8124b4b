import { acts } from '../messages/acts.ts';
import { count, items, number } from '../messages/english.ts';
import { inLanguage } from '../messages/language.ts';
import { m as workItems } from '../work-items/messages.ts';

const events = (amount: number) => count(amount, 'event', 'events');

const en = {
  events: {
    title: 'Events',
    list: 'Events, the newest first',
    activity: 'Activity',
    example: 'kind:USER queue:Invoices operation:pauseQueue at>now-24h',
    did: acts.did,
    items,
    who: 'By',
    anybody: 'Anybody',
    kinds: { USER: 'Users', RUNNER: 'Runners', MILLRACE: 'Millrace' },
    kindOf: { USER: 'User', RUNNER: 'Runner', MILLRACE: 'Millrace' },
    time: 'Time',
    anyTime: 'Any time',
    times: { 'now-1h': 'Last hour', 'now-24h': 'Last 24 hours', 'now-7d': 'Last 7 days' },
    millrace: 'Millrace',
    user: (id: string) => `user ${id}`,
    item: (id: string) => `item ${id}`,
    device: (id: string) => `device ${id}`,
    onDevice: 'on',
    batch: (id: string) => `batch ${id}`,
    gone: 'gone',
    goneQueue: (id: string) => `queue ${id}`,
    today: 'Today',
    yesterday: 'Yesterday',
    details: 'What it was in full',
    changes: 'What changed',
    member: 'What',
    before: 'Before',
    after: 'After',
    unknown: 'not known here',
    json: 'The event as it is on record',
    link: 'Copy link to this event',
    linked: 'One event, by its link',
    noLinked: 'This event is not there, or you may not see it.',
    showAll: 'Show all events',
    copied: 'Copied',
    fresh: (amount: number) => `${events(amount)} more: show`,
    live: 'New events come in at the top.',
    held: 'New events wait, as you have scrolled down.',
    paused: 'Paused: new events wait until you press l.',
    still: 'This time is over: nothing comes in any more.',
    older: 'Read older ones',
    reading: 'Reading …',
    lookedBack: (looked: number) =>
      `Looked through some ${number(looked)} events, further back there may be more.`,
    full: (time: string) => `The list ends here, so that the page stays quick. Go on from ${time}.`,
    goOn: 'Go on with older ones',
    empty: 'No event is to be seen here.',
    emptyFiltered: 'No event matches.',
    emptyText: 'Whatever changes is told here, with who did it, when and why. With the command line:',
    beginning: 'This is the beginning.',
    refused: 'The events cannot be had',
    again: 'Try again',
    export: 'Export …',
    exportTitle: 'Export events',
    exportText:
      'All events that match the filter, back to the first, in the order in which they are listed. Nothing of it is put on record.',
    format: 'Format',
    formats: { NDJSON: 'JSON, an event a line, exact', CSV: 'CSV, for a spreadsheet' },
    begin: 'Export',
    stop: 'Stop',
    exported: (amount: number) => `${events(amount)} so far`,
    saved: (amount: number) => `Saved ${events(amount)}.`,
    cut: (amount: number) =>
      `Saved the newest ${number(amount)}: a browser holds no more. The command line takes out all:`,
    audit: 'Sealed audit trail',
    auditText:
      'The sealed events of the tenant with signatures, which prove themselves without Millrace. That it was taken out is on record. Larger than some hundred MB? Take the command line:',
    auditBegin: 'Save the audit trail',
    once: (name: string) => `${name} can be said once.`,
    equalOnly: (field: string) => `${field} can be compared by “:” only.`,
    fieldsOnly:
      'Events are narrowed down by fields such as kind:USER, and not by words or by what they are not.',
    orOfOne: '“or” goes between values of one field, such as (queue:A or queue:B).',
    oneOnly: (field: string) => `${field} can have one value only.`,
    timeSigns: 'at goes with > and <, such as at>now-24h.',
    ownQueue: 'This page is about one queue. Events of others are on the page Events.',
    noTime: 'Nothing lies between these times.',
    itemNeedsQueue: 'item needs the one queue that it is in: add queue:…',
    unknownField: (field: string) => `There is no field “${field}”.`,
    unknownName: (field: string, value: string) => `There is no ${field} “${value}” that you may see.`,
  },
};

/** What the pages of events say. */
export const m = { ...workItems, ...inLanguage({ en }) };
