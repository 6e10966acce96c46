import { screen, within } from '@testing-library/react';
import { expect, it } from 'vitest';

import * as demo from '../../testing/demo';
import { FakeServer, json, problem } from '../../testing/fake-server';
import { expectAccessible, renderApp } from '../../testing/render';

const card = async (name: string) => within(await screen.findByRole('region', { name }));

const rows = async (name: string) => {
  const table = within(await (await card(name)).findByRole('table'));
  return table.getAllByRole('row').map((row) => row.textContent);
};

it('shows the demo figures to the cent', async () => {
  new FakeServer();
  renderApp();
  expect(await (await card('Users')).findByText('2')).toBeVisible();
  expect(await (await card('Revenue')).findByText('$47.00')).toBeVisible();
  const recurring = await card('Monthly recurring revenue');
  expect(await recurring.findByText('$47.00')).toBeVisible();
  expect(recurring.getByText('1 active subscription')).toBeVisible();
  expect(await (await card('Commissions')).findByText('$23.50')).toBeVisible();
  const roles = within((await card('Users by role')).getByRole('list'));
  expect(roles.getAllByRole('listitem').map((row) => row.textContent)).toEqual(['Admin1', 'Member1']);
  expect((await card('Subscription revenue by tier')).getByText('1 active')).toBeVisible();
  await expectAccessible();
});

it('shows a year month by month, as columns and as a table', async () => {
  const server = new FakeServer();
  renderApp();
  const revenue = await rows('Monthly recurring revenue, 12 months');
  expect(revenue).toHaveLength(12);
  expect(revenue.at(0)).toBe('Dec 2025$0.00');
  expect(revenue.slice(-2)).toEqual(['Oct 2026$47.00', 'Nov 2026 so far$47.00']);
  expect((await rows('Sign-ups, 12 months')).at(-1)).toBe('Nov 2026 so far47');
  expect(document.querySelectorAll('svg title')[10]).toHaveTextContent('Oct 2026: $47.00');
  const [call] = server.callsTo('GET /api/devops/metrics/mrr');
  expect(call?.query.get('step')).toBe('month');
  expect(call?.query.get('from')).toMatch(/^\d{4}-\d{2}-01T00:00:00\.000Z$/);
});

it('offers what is to be paid out as a file', async () => {
  new FakeServer();
  renderApp();
  const payout = (await card('Top performers')).getByRole('link', { name: 'Payout (CSV)' });
  expect(payout).toHaveAttribute('href', '/api/devops/commissions/payout?format=csv');
  await expectAccessible();
});

it('tells growth from having nothing above zero to compare with', async () => {
  new FakeServer().on('GET /api/devops/dashboard', () =>
    json({
      users: { total: 2, growthRate: 4.2, trend: 'up' },
      revenue: { total: 47, growthRate: null, trend: 'new' },
    }),
  );
  renderApp();
  expect(await (await card('Users')).findByText('+4.2 %')).toBeVisible();
  expect(await (await card('Revenue')).findByText(/nothing above zero to compare with/)).toBeVisible();
});

it('says that growth is not known rather than nothing', async () => {
  new FakeServer().on('GET /api/devops/dashboard', () => problem(503, 'unavailable', 'The database does not answer.'));
  renderApp();
  expect(await (await card('Users')).findByText('Its growth could not be read.')).toBeVisible();
  expect(await (await card('Revenue')).findByText('$47.00')).toBeVisible();
});

it('shows what went wrong in its own place and leaves the rest', async () => {
  const server = new FakeServer().on('GET /api/devops/sync/revenue', () =>
    problem(400, 'bad_request', 'The request could not be read.'),
  );
  const { user } = renderApp();
  const revenue = await card('Revenue');
  expect(await revenue.findByRole('alert')).toHaveTextContent('The request could not be read.');
  expect(await (await card('Users')).findByText('2')).toBeVisible();
  server.on('GET /api/devops/sync/revenue', () => json(demo.revenue));
  await user.click(revenue.getByRole('button', { name: 'Try again' }));
  expect(await revenue.findByText('$47.00')).toBeVisible();
});

it('has words for an empty ledger', async () => {
  new FakeServer()
    .on('GET /api/devops/sync/users', () =>
      json({ ...demo.users, total_users: 0, users_by_role: {}, users_by_status: {} }),
    )
    .on('GET /api/devops/sync/revenue', () =>
      json({ ...demo.revenue, subscription_breakdown: {}, recent_transactions: [] }),
    )
    .on('GET /api/devops/sync/commissions', () =>
      json({ ...demo.commissions, top_performers: [], commission_by_tier: {}, recent_commissions: [] }),
    );
  renderApp();
  expect(await screen.findAllByText('No users yet.')).toHaveLength(2);
  expect(await screen.findByText('No subscriptions yet.')).toBeVisible();
  expect(await screen.findByText('No transactions yet.')).toBeVisible();
  expect(await screen.findAllByText('No commissions yet.')).toHaveLength(2);
});
