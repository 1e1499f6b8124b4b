/**
 * The instant of a local time, such as `2026-12-01T08:30`, in a time zone. Of a time that comes twice, the earlier counts; a time that is
 * left out when clocks go forward counts as if they had not yet.
 * @param zone empty for the browser's zone
 */
export function instantIn(local: string, zone: string): Date {
  if (zone === '') return new Date(local);
  const asUtc = Date.parse(`${local}Z`);
  // The offsets a day before and after: one of them is in force, unless clocks change more than once in between.
  const candidates = [asUtc - day, asUtc + day].map((near) => asUtc - offsetAt(near, zone));
  const fitting = candidates.filter((time) => asUtc - offsetAt(time, zone) === time);
  return new Date(fitting.length > 0 ? Math.min(...fitting) : (candidates[0] ?? asUtc));
}

const day = 86_400_000;

/** How far the clocks of a zone are ahead of UTC, in milliseconds. */
function offsetAt(time: number, zone: string): number {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  }).formatToParts(time);
  const of = (type: string) => Number(parts.find((part) => part.type === type)?.value);
  const shown = Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'));
  return shown - Math.floor(time / 1000) * 1000;
}
