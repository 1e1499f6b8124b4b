import { Vault } from '../engine/vault.ts';

/** What jobs are handed by a server that has no keys. */
export const keyless = {
  vault: new Vault({ masterKey: undefined, masterKeyFile: undefined }),
  recordKey: () => Promise.reject(new Error('there is no key here')),
};
