/** The named permissions, with their descriptions. */
export const permissions = {
  useQueues: 'View and use the queues one belongs to',
  createQueues: 'Create queues and work item models',
  viewAllQueues: 'View ALL queues, with their items, and all models',
  manageAllQueues: 'Manage ALL queues',
  runAutomations: 'Send the items of queues to devices, by automations',
  viewDevices: 'View ALL devices and pools',
  manageDevices: 'Manage ALL devices and pools',
  runDevice: 'Register a device and run items on it',
  viewUsers: 'View users and roles',
  manageUsers: 'Create and manage users and roles, up to what one may do oneself',
  generateApiKey: 'Generate API keys',
  viewEvents:
    'View ALL events of the tenant: log-ins among them, and from where and by which program users did what',
  revealSensitive:
    'See and export PERSONAL and SECRET values of the items in the queues one sees, which is on record; take such marks from models',
  eraseSensitive: 'Erase what is stored of a person in the queues one may change',
  manageInstallation: 'Manage the installation that all tenants share, its signing keys among it',
} as const;

export type Permission = keyof typeof permissions;

/**
 * Each of these shows all models of the tenant: creators of queues choose among them, and users who see all queues see the models in use.
 */
export const permissionsForAllModels: readonly Permission[] = [
  'createQueues',
  'viewAllQueues',
  'manageAllQueues',
];

/** Whether a user with these permissions sees all queues of the tenant, beside the user's own. */
export function seesAllQueues(granted: ReadonlySet<string>): boolean {
  return granted.has('viewAllQueues') || granted.has('manageAllQueues');
}

/** The roles that every tenant has from the start. Existing programs look for these names. */
export const systemRoles: Record<string, { description: string; permissions: readonly Permission[] }> = {
  AAE_Admin: {
    description: 'Administrator: may do everything in the tenant',
    permissions: (Object.keys(permissions) as Permission[]).filter((name) => name !== 'manageInstallation'),
  },
  'AAE_Queue Admin': {
    description: 'Queue admin: manages all queues',
    permissions: [
      'useQueues',
      'createQueues',
      'manageAllQueues',
      'runAutomations',
      'viewUsers',
      'generateApiKey',
    ],
  },
  'AAE_Pool Admin': {
    description: 'Pool admin: manages device pools',
    permissions: [
      'useQueues',
      'runAutomations',
      'viewDevices',
      'manageDevices',
      'viewUsers',
      'generateApiKey',
    ],
  },
  AAE_Basic: {
    description: 'Basic: uses the queues one belongs to, and creates own ones',
    permissions: ['useQueues', 'createQueues', 'runAutomations'],
  },
  'AAE_Bot Runner': {
    description: 'Runner: processes items',
    permissions: ['useQueues', 'runDevice', 'generateApiKey'],
  },
  AAE_Auditor: {
    description: 'Auditor: sees everything in the tenant and changes nothing',
    permissions: ['useQueues', 'viewAllQueues', 'viewDevices', 'viewUsers', 'viewEvents'],
  },
  AAE_Operator: {
    description: 'Operator: manages the installation',
    permissions: ['manageInstallation'],
  },
};
