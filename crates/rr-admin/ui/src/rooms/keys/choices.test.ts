import { expect, it } from 'vitest';

import { expiry } from './choices';

it('turns the choice into what the server takes', () => {
  expect(expiry('90', '')).toEqual({ expires_in_days: 90 });
  expect(expiry('never', '')).toEqual({ expires_at: null });
});

it('lets a last day count whole', () => {
  const { expires_at } = expiry('date', '2027-02-28');
  expect(new Date(expires_at ?? '').getTime()).toBe(new Date(2027, 2, 1).getTime());
});
