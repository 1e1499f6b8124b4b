import { count, items, number } from '../messages/english.ts';
import { inLanguage } from '../messages/language.ts';
import { m as workItems } from '../work-items/messages.ts';

const en = {
  kinds: {
    BUSINESS: 'Business',
    SYSTEM: 'System',
    DATA_ERROR: 'Data',
    EXPIRED: 'Expired',
    IN_DOUBT: 'In doubt',
  },
  repair: {
    title: 'Repair',
    clusters: 'Causes of failures',
    empty: 'Nothing has failed.',
    emptyText: 'What fails in your queues is shown here, put together by its cause. The same as a command:',
    doubts: (amount: number) => `Settle ${items(amount)} in doubt`,
    amount: (amount: number, isMore: boolean) => `${number(amount)}${isMore ? ' or more' : ''}`,
    restartAll: (amount: number, isMore: boolean) =>
      `Restart all ${number(amount)}${isMore ? ' or more' : ''}`,
    over: 'all restarted',
    isNew: 'new',
    on: (amount: number) => `on ${count(amount, 'device', 'devices')}`,
    in: (names: string) => `in ${names}`,
    firstSeen: 'first failed',
    seen: 'last failed',
    devices: 'Devices that it failed on',
    onDevice: (device: string, amount: number) => `${device}: ${items(amount)}`,
    worstFirst: 'Worst first',
    ofAll: (shown: number, all: number) =>
      `${number(shown)} of ${number(all)} causes shown, the most urgent first.`,
    choose: 'Choose a cause to see its items.',
    queues: 'Queues of this cause',
    rows: 'Items to be corrected',
    remedies: 'What was done',
    restarted: (amount: number, name: string) => `${name} restarted ${items(amount)}`,
    outcome: (done: number, waiting: number, again: number, otherwise: number) =>
      [
        `${number(done)} done`,
        `${number(waiting)} waiting`,
        `${number(again)} failed again the same way`,
        ...(otherwise > 0 ? [`${number(otherwise)} failed otherwise`] : []),
      ].join(', '),
    note: 'Note for whoever meets this again',
    notes: 'Notes in other queues',
    noteBy: (name: string) => `${name} noted`,
    mayNotNote: 'Only owners and members of the queue and queue admins may note something.',
    saveNote: 'Save note',
    noted: 'The note is saved.',
    noneLeft: 'No item of this queue is failed for this cause now.',
    undo: 'Undo',
    fillDown: 'Fill down',
    find: 'Find',
    replaceBy: 'Replace with',
    replace: (amount: number) => `Replace ${number(amount)}`,
    sendKey: 'Ctrl ↵',
    edit: 'Correct the items in the grid',
    help: 'Paste a block from a sheet into a cell. Keys: e into the grid, ↑ ↓ move, r restart all, Ctrl+Z undo, Ctrl+D fill down, Ctrl+Enter send back.',
    changed: (amount: number) => `${items(amount)} changed`,
    cell: (name: string, id: string) => `${name} of item ${id}`,
    was: (text: string) => `It was: ${text === '' ? 'unset' : text}`,
    problems: {
      required: 'is required',
      number: 'must be a number',
      date: 'must be a date such as 2026-03-01',
      boolean: 'must be true or false',
    },
    unset: 'unset',
    read: (some: number, all: number | undefined) =>
      all === undefined ? `${number(some)} rows read so far` : `${number(some)} of ${number(all)} rows read`,
    reach: 'Fill down, Find and Send back act on the rows that are read; the others are read as you go down.',
    sameForAll: (all: number | undefined) =>
      all === undefined ? 'Same change for all …' : `Same change for all ${number(all)} …`,
    sendBack: (amount: number) => `Send ${number(amount)} back`,
    sendBackTitle: 'Send back',
    invalid: (id: string, why: string, others: number) =>
      `Item ${id} cannot be sent yet: ${why}.${others > 0 ? ` Nor can ${number(others)} more: see the marked cells.` : ''}`,
    trying: 'Trying it on the server …',
    would: (changed: number, refused: number) =>
      `${number(changed)} will be corrected and tried again · ${number(refused)} refused`,
    did: (changed: number, refused: number) =>
      `${items(changed)} corrected and sent back, ${number(refused)} refused.`,
    kept: 'What was refused keeps your changes in the grid.',
    changes: 'Changes',
    became: (name: string, before: string, after: string) => `${name}: ${before} → ${after}`,
    undecided: 'Items in doubt are settled one by one.',
  },
  doubts: {
    title: 'In doubt',
    empty: 'Nothing is in doubt.',
    emptyText: 'Every item has a known outcome.',
    emptyQueue: 'Nothing is in doubt in this queue.',
    ofAll: 'Those of all queues',
    back: 'Back to Repair',
    left: (amount: number) => `${items(amount)} to settle`,
    question: (id: string) => `Was item ${id} done?`,
    in: (name: string) => `in ${name}`,
    confirm: 'Answer, and show the next',
    later: 'Later',
    settled: (id: string) => `Item ${id} is settled.`,
  },
};

/** The texts of the repair pages, beside those of work items. */
export const m = { ...workItems, ...inLanguage({ en }) };
