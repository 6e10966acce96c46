import { expect, it } from 'vitest';

import type { Key } from '../../server/calls';
import * as demo from '../../testing/demo';
import { canRotate, endsSoon, isOpenLeak } from './standing';

const now = Date.parse('2026-11-22T12:00:00Z');
const leak = (works: boolean) => ({ reported_at: '2026-11-22T11:00:00Z', works, uses_since: 0, refused_since: 0 });

it.each<[Partial<Key>, boolean]>([
  [{ expires_at: '2026-12-06T12:00:00Z' }, true],
  [{ expires_at: '2026-12-06T12:00:01Z' }, false],
  [{ expires_at: null }, false],
  [{ expires_at: '2026-11-23T12:00:00Z', status: 'disabled' }, false],
])('%j ends soon: %s', (change, expected) => {
  expect(endsSoon({ ...demo.key, ...change }, now)).toBe(expected);
});

it.each<[Partial<Key>, boolean, boolean]>([
  [{}, false, true],
  [{ status: 'disabled' }, false, false],
  [{ status: 'disabled', leak: leak(false) }, true, true],
  [{ status: 'active', leak: leak(true) }, true, true],
  [{ status: 'active', leak: leak(false) }, false, true],
  [{ status: 'leaked', leak: leak(false) }, true, true],
  [{ status: 'revoked', leak: leak(false) }, false, false],
  [{ status: 'expired' }, false, false],
])('%j has an open leak: %s, and can be rotated: %s', (change, open, rotatable) => {
  const key = { ...demo.key, ...change };
  expect([isOpenLeak(key), canRotate(key)]).toEqual([open, rotatable]);
});
