import { inLanguage } from '../messages/language.ts';
import { m as common } from '../messages/messages.ts';

const en = {
  settings: {
    title: 'Settings',
    account: 'Account',
    username: 'User name',
    name: 'Name',
    email: 'E-mail address',
    roles: 'Roles',
    may: 'You may',
    password: 'Password',
    passwordText: 'All your other sessions end with it. API keys stay.',
    change: 'Change the password',
    changed: 'Your password is changed; your other sessions have ended.',
    noPassword: (provider: string) => `You sign on by ${provider}: there is no password here to change.`,
    neverPassword: 'You have no password: somebody who manages users can give you a temporary one.',
    sessions: 'Where you are logged in',
    keys: 'Your API keys',
    appearance: 'Appearance',
    kept: 'Kept for you, on whatever browser you log in.',
    theme: 'Theme',
    themes: { system: 'As the system', light: 'Light', dark: 'Dark' },
    density: 'Room',
    densities: { COMPACT: 'Compact', NORMAL: 'Normal', TOUCH: 'Large, for fingers' },
    zone: 'Time zone',
    browserZone: (zone: string) => `That of the browser (${zone})`,
    example: (time: string) => `Now it is ${time}.`,
    keyboard: 'Keyboard',
    letterKeys: 'Single letters, digits and signs do something',
    letterKeysText:
      'Such as g q for the queues, or x to choose a row. Switch them off when you speak to the browser, or press keys by accident. Ctrl+K, arrows, Enter and Space stay.',
    server: 'Server',
    version: 'Version',
    address: 'Address',
    signingKey: 'Sign with a new key',
    signingKeyText:
      'Tokens of log-ins are signed with a new key from now on. Those of the old key stay good until they end, twenty minutes at most.',
    endSessions: 'End all sessions of all tenants now, yours too',
    endSessionsText: 'As after a leak of the key: everybody logs in again.',
    rotated: (id: string) => `Tokens are signed with the key ${id} from now on.`,
  },
};

/** The texts of the user's own account and of the appearance. */
export const m = { ...common, ...inLanguage({ en }) };
