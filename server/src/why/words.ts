const instantWithSeconds = /\.\d+Z$/;

/** An instant, to the second: `2026-03-02T08:20:00Z`. */
export function instant(time: Date): string {
  return time.toISOString().replace(instantWithSeconds, 'Z');
}

/** `1 item`, `12,000 items`; the plural is made with an s. */
export function count(number: number, noun: string): string {
  return `${number.toLocaleString('en-US')} ${noun}${number === 1 ? '' : 's'}`;
}

/** A span for planning: in seconds, then minutes, hours and days, rounded up. */
export function span(seconds: number): string {
  if (seconds < 90) return count(Math.max(1, Math.ceil(seconds)), 'second');
  const minutes = seconds / 60;
  if (minutes < 90) return count(Math.ceil(minutes), 'minute');
  const hours = minutes / 60;
  return hours < 36 ? count(Math.ceil(hours), 'hour') : count(Math.ceil(hours / 24), 'day');
}

const shownInList = 5;

/** A list, cut after the first entries: `a, b and 3 more`. */
export function listed(list: readonly string[]): string {
  const shown = list.slice(0, shownInList);
  const more = list.length - shown.length;
  return more > 0 ? `${shown.join(', ')} and ${more} more` : shown.join(', ');
}

/** ` by anna`, or nothing without a name. */
export function byWhom(name: string | undefined): string {
  return name === undefined ? '' : ` by ${name}`;
}

/** `: the reason`, or nothing when none was given. */
export function because(reason: string | undefined): string {
  return reason === undefined || reason === '' ? '' : `: ${reason.replace(/[.\s]+$/, '')}`;
}
