/** The named permissions, with what people read about them. */
export const permissions = {
  useQueues: 'View and use the queues one belongs to',
  createQueues: 'Create queues and work item models',
  manageAllQueues: 'Manage ALL queues',
  runAutomations: 'Send the items of queues to devices, by automations',
  viewDevices: 'View ALL devices and pools',
  manageDevices: 'Manage ALL devices and pools',
  runDevice: 'Register a device and run items on it',
  viewUsers: 'View users and roles',
  manageUsers: 'Create and manage users and roles, up to what one may do oneself',
  generateApiKey: 'Generate API keys',
  manageServer: 'Manage the server, its signing keys among it',
} as const;

export type Permission = keyof typeof permissions;

/** The roles that every tenant has from the start. Their names are those that existing programs look for. */
export const systemRoles: Record<string, { description: string; permissions: readonly Permission[] }> = {
  AAE_Admin: {
    description: 'Administrator: may do everything',
    permissions: Object.keys(permissions) as Permission[],
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
};
