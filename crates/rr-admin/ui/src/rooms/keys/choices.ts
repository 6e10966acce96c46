// What the form for a new key offers.

import type { KeyRequest, Permission } from '../../server/calls';

/** Each permission and what it lets a key do, the harmless ones first. */
export const PERMISSIONS: [Permission, string][] = [
  ['read_metrics', 'Read the figures'],
  ['write_webhooks', 'Send events'],
  ['read_events', 'Read events'],
  ['read_users', 'List users, with personal data'],
  ['manage_webhooks', 'Configure webhook sources'],
  ['write_data', 'Import data'],
  ['manage_keys', 'Make, change, rotate and revoke keys'],
];

export type Expiry = '30' | '90' | '180' | '365' | 'date' | 'never';

export const EXPIRIES: { value: Expiry; label: string }[] = [
  { value: '30', label: 'After 30 days' },
  { value: '90', label: 'After 90 days' },
  { value: '180', label: 'After 180 days' },
  { value: '365', label: 'After one year' },
  { value: 'date', label: 'After a day of your choice' },
  { value: 'never', label: 'Never' },
];

/** How long the old secret works after a rotation, in seconds. */
export const GRACES: { value: string; label: string }[] = [
  { value: '0', label: 'Ends at once' },
  { value: '3600', label: 'Works for one more hour' },
  { value: '86400', label: 'Works for one more day' },
  { value: '604800', label: 'Works for one more week' },
];

/** The first day as the server wants it, from its midnight in the time zone of the one who chose it. None is now. */
export function start(firstDay: string): Pick<KeyRequest, 'not_before'> {
  return firstDay ? { not_before: midnight(firstDay).toISOString() } : {};
}

/** The choice as the server wants it. A last day counts whole, in the time zone of the one who chose it. */
export function expiry(choice: Expiry, lastDay: string): Pick<KeyRequest, 'expires_at' | 'expires_in_days'> {
  if (choice === 'never') return { expires_at: null };
  if (choice !== 'date') return { expires_in_days: Number(choice) };
  const end = midnight(lastDay);
  end.setDate(end.getDate() + 1);
  return { expires_at: end.toISOString() };
}

function midnight(day: string): Date {
  return new Date(`${day}T00:00:00`);
}
