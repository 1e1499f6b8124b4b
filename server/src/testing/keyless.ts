import { Vault } from '../engine/vault.ts';

/** The means of jobs on a server without keys. */
export const keyless = {
  vault: new Vault({ masterKey: undefined, masterKeyFile: undefined }),
  recordKey: () => Promise.reject(new Error('there is no key here')),
};
