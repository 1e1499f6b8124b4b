import type { Id } from '@millrace/api';
import { inLanguage } from './language.ts';

/** The actor of an event. Id 0 is the server itself. */
interface Actor {
  readonly actorId?: Id;
  readonly actorName?: string;
}

/** Wordings that do not follow from the name of the operation: mostly for what comes about by itself or has no named object. */
const special: Readonly<Record<string, string>> = {
  createWorkItems: 'put in',
  createWorkItemsFromFile: 'put in a file',
  noteFailureCluster: 'noted about failures in',
  claimWorkItems: 'took',
  requestWork: 'was sent',
  heartbeatWorkItems: 'began what cannot be undone with',
  finishWorkItems: 'reported on',
  lateReport: 'reported too late on',
  cancelWorkItem: 'asked to stop',
  resolveWorkItem: 'settled',
  restartWorkItem: 'restarted',
  releaseWorkItem: 'released',
  updateWorkItems: 'corrected',
  updateWorkItemStatus: 'changed',
  returnLapsedItems: 'took back, as its holder fell silent,',
  promoteDueItems: 'let come up again',
  expireItems: 'expired',
  resumeQueues: 'let go on',
  rekeyQueues: 'put in a new order',
  disconnectSilentDevices: 'lost contact with',
  registerDevice: 'registered',
  drainDevice: 'drained',
  quarantineDevice: 'quarantined',
  resumeDevice: 'resumed',
  warnQueueLevel: 'warned of the service level of',
  breakQueueLevel: 'saw the service level broken of',
  keepQueueLevel: 'saw the service level kept again of',
  setQueueLevel: 'changed the service level of',
  completeBatch: 'finished a batch',
  reopenBatch: 'opened a batch again',
  cutUploads: 'broke off an upload',
  undoUpload: 'undid an upload',
  logIn: 'logged in',
  logOut: 'logged out',
  finishSignOn: 'signed on',
  changePassword: 'changed the password',
  exportWorkItems: 'exported items',
  exportAudit: 'exported the audit trail',
  addSealingKey: 'began to seal with a new key',
  restartFeed: 'began the feed anew, after a restore',
  signErasures: 'signed what was erased before erasures were signed',
};

const verbs: Readonly<Record<string, string>> = {
  add: 'added',
  addOrUpdate: 'added or changed',
  archive: 'archived',
  begin: 'began',
  change: 'changed',
  close: 'closed',
  create: 'created',
  delete: 'deleted',
  disable: 'disabled',
  download: 'downloaded',
  enable: 'enabled',
  end: 'ended',
  erase: 'erased',
  exchange: 'renewed',
  note: 'noted',
  open: 'opened',
  pause: 'paused',
  remove: 'removed',
  reset: 'reset',
  restore: 'restored',
  resume: 'resumed',
  reveal: 'looked at the secret values of',
  revoke: 'revoked',
  rewrap: 'rewrapped',
  rotate: 'rotated',
  undo: 'undid',
  update: 'changed',
};

/** Wordings that name their object. */
const whole = / (?:the|an?) .*(?<! of)$| items$/;

/** Nouns that the link after the words names already. */
const named = new Set(['queue', 'item', 'items', 'device']);

const en = {
  /** The name of an actor; users that one may not see go by their id. */
  actor: ({ actorId, actorName }: Actor): string =>
    actorName ?? (Number(actorId) === 0 ? 'Millrace' : `user ${actorId}`),
  /** An operation as the middle of a sentence: the actor stands before it, the object after it. */
  did: (operation: string): string => {
    const known = special[operation];
    if (known !== undefined) return known;
    const verb = Object.keys(verbs)
      .filter((one) => new RegExp(`^${one}(?=[A-Z])`).test(operation))
      .toSorted((one, other) => other.length - one.length)[0];
    if (verb === undefined) return operation;
    const noun = operation
      .slice(verb.length)
      .replace('WorkItemModel', 'Model')
      .replace('WorkItem', 'Item')
      .replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ')
      .toLowerCase();
    const past = verbs[verb] ?? verb;
    return named.has(noun) ? past : `${past} the ${noun}`;
  },
  /** The same with its object, on the page of that object. @param it such as `this item` */
  didTo: (operation: string, it: string): string => {
    const did = en.did(operation);
    return whole.test(did) ? did : `${did} ${it}`;
  },
};

/** The operations of people, runners and Millrace, in words. */
export const acts = inLanguage({ en });
