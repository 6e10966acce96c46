// How numbers and times read. Everything is text here, so that it can be tested without a browser.

const count = new Intl.NumberFormat('en-US');
const percent = new Intl.NumberFormat('en-US', { signDisplay: 'exceptZero', maximumFractionDigits: 1 });
const day = new Intl.DateTimeFormat('en-US', { dateStyle: 'medium' });
const month = new Intl.DateTimeFormat('en-US', { month: 'short', year: 'numeric', timeZone: 'UTC' });
const week = new Intl.DateTimeFormat('en-US', { month: 'short', day: 'numeric', timeZone: 'UTC' });
const clock = new Intl.DateTimeFormat('en-US', { timeStyle: 'medium', hourCycle: 'h23' });
const full = new Intl.DateTimeFormat('en-US', { dateStyle: 'full', timeStyle: 'long', hourCycle: 'h23' });
const relative = new Intl.RelativeTimeFormat('en-US', { numeric: 'auto', style: 'narrow' });

const money = new Map<string, Intl.NumberFormat>();

/** An amount in major units, as the server sends it: `23.5` becomes `$23.50`. */
export function formatMoney(amount: number, currency: string): string {
  let format = money.get(currency);
  if (!format) {
    format = new Intl.NumberFormat('en-US', { style: 'currency', currency });
    money.set(currency, format);
  }
  return format.format(amount);
}

/** A whole number: `1234` becomes `1,234`. */
export function formatCount(value: number): string {
  return count.format(value);
}

/** `one` or `many`, after the number it belongs to. */
export function formatCounted(value: number, one: string, many = `${one}s`): string {
  return `${formatCount(value)} ${value === 1 ? one : many}`;
}

/** A growth rate in percent: `2.5` becomes `+2.5 %`. */
export function formatPercent(value: number): string {
  return `${percent.format(value)}\u00a0%`;
}

/** A calendar day in the reader's own time zone. */
export function formatDay(time: string | number): string {
  return day.format(new Date(time));
}

/** The day that a week begins with, of UTC. */
export function formatWeek(start: string): string {
  return week.format(new Date(start));
}

/** The calendar month that an instant is in, of UTC: the month of a figure. */
export function formatMonth(time: string): string {
  return month.format(new Date(time));
}

/** The time of day in the reader's own time zone. */
export function formatClock(time: string | number): string {
  return clock.format(new Date(time));
}

/** Everything there is to say about an instant, the zone included. */
export function formatFull(time: string | number): string {
  return full.format(new Date(time));
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

const FAR_SECONDS = 45 * 86_400;

/** The distance from `now`: `5m ago`, `in 3d`; far away, where nobody counts days, the day itself. */
export function formatDistance(time: string | number, now: number): string {
  const seconds = (new Date(time).getTime() - now) / 1000;
  if (Math.abs(seconds) >= FAR_SECONDS) return formatDay(time);
  for (const [unit, length] of STEPS) {
    if (Math.abs(seconds) >= length) return relative.format(Math.trunc(seconds / length), unit);
  }
  return seconds > 0 ? 'in a moment' : 'just now';
}

/** A wait that a person can plan with: `45 seconds`, `2 minutes`. */
export function formatWait(seconds: number): string {
  return seconds < 90 ? formatCounted(seconds, 'second') : formatCounted(Math.ceil(seconds / 60), 'minute');
}

const SPANS: [string, number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

/** How long something took: `5400` becomes `1.5 hours`. Null, where that is not known, stays null. */
export function formatSpan(seconds: number | null): string | null {
  if (seconds === null) return null;
  // Days from two on: until then hours say more.
  const [unit, length] = SPANS.find(([, least], index) => seconds >= least * (index === 0 ? 2 : 1)) ?? ['second', 1];
  const many = Math.round((seconds / length) * 10) / 10;
  return formatCounted(many, unit);
}

/** A share in percent: `12.5` becomes `12.5 %`. Null, where there is nothing to divide by, stays null. */
export function formatShare(value: number | null): string | null {
  return value === null ? null : `${count.format(value)}\u00a0%`;
}

/** A machine's word as a person reads it: `read_metrics` becomes `Read metrics`. */
export function formatLabel(word: string): string {
  const spaced = word.replaceAll('_', ' ');
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}
