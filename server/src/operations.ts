import * as auth from './auth/operations.ts';
import * as automations from './automations/operations.ts';
import { heartbeatDevice, registerDevice } from './devices/agent.ts';
import * as devices from './devices/operations.ts';
import * as events from './events/operations.ts';
import * as health from './health/operations.ts';
import * as intake from './intake/operations.ts';
import * as members from './members/operations.ts';
import * as modelArchive from './models/archive.ts';
import { updateWorkItemModel } from './models/change.ts';
import { createWorkItemModel, getWorkItemModel, listWorkItemModels } from './models/operations.ts';
import { requestWork } from './dispatch/operations.ts';
import type { Functions } from './operation.ts';
import * as pools from './pools/operations.ts';
import * as archive from './queues/archive.ts';
import * as queues from './queues/operations.ts';
import { pauseQueue, resumeQueue } from './queues/pause.ts';
import * as stats from './stats/operations.ts';
import * as users from './users/operations.ts';
import { claimWorkItems, finishWorkItems } from './work-items/consume.ts';
import { updateWorkItemStatus } from './work-items/bulk.ts';
import * as why from './why/operations.ts';
import { createWorkItems } from './work-items/create.ts';
import { listDoubts } from './work-items/doubts.ts';
import { heartbeatWorkItems } from './work-items/heartbeat.ts';
import * as workItems from './work-items/operations.ts';
import * as repair from './work-items/repair.ts';
import { watchWorkItems } from './work-items/watch.ts';

/** Every promise of the contract with the function that keeps it. */
export const functions: Functions = {
  ...auth,
  ...automations,
  ...devices,
  ...events,
  ...health,
  ...intake,
  ...members,
  createWorkItemModel,
  getWorkItemModel,
  listWorkItemModels,
  updateWorkItemModel,
  ...modelArchive,
  ...pools,
  ...queues,
  ...archive,
  pauseQueue,
  resumeQueue,
  ...stats,
  ...users,
  ...workItems,
  ...why,
  registerDevice,
  heartbeatDevice,
  ...repair,
  listDoubts,
  requestWork,
  createWorkItems,
  updateWorkItemStatus,
  claimWorkItems,
  heartbeatWorkItems,
  watchWorkItems,
  finishWorkItems,
};
