// What of a key somebody should look at.

import { type Key, SOON_DAYS } from '../../server/calls';

/** Whether the key works and ends soon. */
export function endsSoon(key: Key, now: number): boolean {
  if (key.status !== 'active' || !key.expires_at) return false;
  return new Date(key.expires_at).getTime() - now <= SOON_DAYS * 86_400_000;
}

/** Whether a secret of the key became public and the key has not got over it. */
export function isOpenLeak(key: Key): boolean {
  return Boolean(key.leak) && (Boolean(key.leak?.works) || key.status === 'disabled' || key.status === 'leaked');
}

/** Whether a new secret would help. A key that somebody has switched off waits for that person. */
export function canRotate(key: Key): boolean {
  return ['active', 'not_yet_valid', 'leaked'].includes(key.status) || (key.status === 'disabled' && isOpenLeak(key));
}
