import { describe, expect, it } from 'vitest';

import * as format from './format';

describe('money', () => {
  it.each([
    [47, '$47.00'],
    [23.5, '$23.50'],
    [0, '$0.00'],
    [-47, '-$47.00'],
    [0.01, '$0.01'],
    // Below 2^46, 70 million millions, the browser's numbers tell any two amounts of cents apart.
    [70_368_744_177_663.99, '$70,368,744,177,663.99'],
  ])('%d is %s', (amount, text) => {
    expect(format.formatMoney(amount, 'USD')).toBe(text);
  });

  it('has as many places as the currency', () => {
    expect(format.formatMoney(1200, 'JPY')).toBe('¥1,200');
  });
});

describe('spans', () => {
  it.each([
    [0, '0 seconds'],
    [59, '59 seconds'],
    [90, '1.5 minutes'],
    [3_600, '1 hour'],
    [46_800, '13 hours'],
    [86_400, '24 hours'],
    [216_000, '2.5 days'],
    [null, null],
  ])('%d seconds are %s', (seconds, text) => {
    expect(format.formatSpan(seconds)).toBe(text);
  });
});

describe('counts and rates', () => {
  it('tells a share that is not known from none', () => {
    expect(format.formatShare(0)).toBe('0\u00a0%');
    expect(format.formatShare(33.33)).toBe('33.33\u00a0%');
    expect(format.formatShare(null)).toBeNull();
  });

  it('counts one and many', () => {
    expect(format.formatCounted(1, 'commission')).toBe('1 commission');
    expect(format.formatCounted(0, 'commission')).toBe('0 commissions');
    expect(format.formatCounted(12_000, 'reply', 'replies')).toBe('12,000 replies');
  });

  it('signs a rate and keeps its one decimal', () => {
    expect(format.formatPercent(2.5)).toBe('+2.5\u00a0%');
    expect(format.formatPercent(-12)).toBe('-12\u00a0%');
    expect(format.formatPercent(0)).toBe('0\u00a0%');
  });
});

describe('times', () => {
  const now = Date.parse('2026-11-22T12:00:00Z');

  it.each([
    ['2026-11-22T11:59:30Z', 'just now'],
    ['2026-11-22T12:00:30Z', 'in a moment'],
    ['2026-11-22T11:55:00Z', '5m ago'],
    ['2026-11-22T09:00:00Z', '3h ago'],
    ['2026-11-21T11:00:00Z', 'yesterday'],
    ['2026-12-22T12:00:00Z', 'in 30d'],
    ['2024-01-02T12:00:00Z', 'Jan 2, 2024'],
    ['2027-11-22T12:00:00Z', 'Nov 22, 2027'],
  ])('%s is %s', (time, text) => {
    expect(format.formatDistance(time, now)).toBe(text);
  });

  it('tells a wait in words to plan with', () => {
    expect(format.formatWait(1)).toBe('1 second');
    expect(format.formatWait(45)).toBe('45 seconds');
    expect(format.formatWait(91)).toBe('2 minutes');
  });
});

it('reads a label as words', () => {
  expect(format.formatLabel('pro_reseller')).toBe('Pro reseller');
  expect(format.formatLabel('')).toBe('');
});
