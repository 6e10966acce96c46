import { expect, it } from 'vitest';

import { formatLimit, fromDraft, MOST_LIMITS, newLimit, toDraft } from './limits';

it.each([
  [{ name: 'default', limit: 1_000, window_s: 3_600 }, '1,000 in 1 hour'],
  [{ name: 'burst', limit: 10, window_s: 1 }, 'burst: 10 in 1 second'],
  [{ name: 'odd', limit: 1, window_s: 90 }, 'odd: 1 in 90 seconds'],
  [{ name: 'daily', limit: 5, window_s: 2_592_000 }, 'daily: 5 in 30 days'],
])('%j reads %s and comes out of the form as it went in', (window, text) => {
  expect(formatLimit(window)).toBe(text);
  expect(fromDraft(toDraft(window))).toEqual(window);
});

it('offers as many names as a key can have limits', () => {
  const limits = Array.from({ length: MOST_LIMITS }).reduce<ReturnType<typeof newLimit>[]>((all) => [...all, newLimit(all)], []);
  expect(new Set(limits.map(({ name }) => name)).size).toBe(MOST_LIMITS);
});
