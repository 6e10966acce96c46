import { expect, it } from 'vitest';

import { expiry, start } from './choices';

it('turns the choice into what the server takes', () => {
  expect(expiry('90', '')).toEqual({ expires_in_days: 90 });
  expect(expiry('never', '')).toEqual({ expires_at: null });
});

it('lets a last day count whole', () => {
  const { expires_at } = expiry('date', '2027-02-28');
  expect(new Date(expires_at ?? '').getTime()).toBe(new Date(2027, 2, 1).getTime());
});

it('lets a first day begin at midnight, and without one the key works at once', () => {
  const { not_before } = start('2027-02-28');
  expect(new Date(not_before ?? '').getTime()).toBe(new Date(2027, 1, 28).getTime());
  expect(start('')).toEqual({});
});
