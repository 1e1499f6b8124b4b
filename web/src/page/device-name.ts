import type { Schemas } from '@millrace/api';

/** The name that people know a device by: the nickname, which few agents give, or else the host name. */
export function deviceName({ nickname, hostName }: Pick<Schemas['Device'], 'nickname' | 'hostName'>): string {
  return nickname === '' ? hostName : nickname;
}
