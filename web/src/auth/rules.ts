/** The rules for a password, as far as a browser can check them; only the server knows the commonest passwords. */
export const passwordRules = ['length', 'variety', 'edges', 'name', 'other', 'same'] as const;
export type PasswordRule = (typeof passwordRules)[number];

interface Typed {
  readonly password: string;
  /** Typed a second time. */
  readonly again: string;
  readonly username: string;
  /** The current password. */
  readonly present: string;
}

const least = 8;
const fewest = 4;
const leastName = 3;

/** The rules that a new password breaks, in the normal form that the server checks. */
export function brokenBy({ password, again, username, present }: Typed): PasswordRule[] {
  const form = password.normalize('NFKC');
  const isBroken: Record<PasswordRule, boolean> = {
    length: [...form].length < least,
    variety: new Set(form).size < fewest,
    edges: form === '' || form !== form.trim(),
    name: form === '' || holdsName(form.toLowerCase(), username.normalize('NFKC').toLowerCase()),
    other: form === '' || password === present,
    same: password === '' || password !== again,
  };
  return passwordRules.filter((rule) => isBroken[rule]);
}

/** Whether a password contains the user name or its part beside the domain, forwards or backwards. */
function holdsName(password: string, username: string): boolean {
  const names = [username, ...username.split(/[\\@]/)].filter(({ length }) => length >= leastName);
  return names.some((name) => password.includes(name) || password.includes([...name].toReversed().join('')));
}
