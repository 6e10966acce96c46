import { act, screen, waitFor } from '@testing-library/react';
import { expect, it, vi } from 'vitest';

import { FakeServer, json, problem } from '../testing/fake-server';
import { renderApp } from '../testing/render';

it('is connected when the server is ready and every read worked', async () => {
  new FakeServer();
  renderApp();
  expect(await screen.findByText('Integration Status')).toBeVisible();
  expect(await screen.findByText('Connected')).toBeVisible();
  expect(await screen.findByText(/^Last synced \d\d:\d\d:\d\d/)).toBeVisible();
});

it('is disconnected, with the reason, while the server is not ready', async () => {
  const server = new FakeServer().on('GET /readyz', () =>
    problem(503, 'unavailable', 'The database does not answer for the moment.'),
  );
  const { user } = renderApp();
  expect(await screen.findByText('Disconnected')).toBeVisible();
  expect(screen.getByText('The database does not answer for the moment.')).toBeVisible();
  server.on('GET /readyz', () => json({ status: 'ready' }));
  await user.click(screen.getByRole('button', { name: 'Sync Data' }));
  expect(await screen.findByText('Connected')).toBeVisible();
});

it('is disconnected when the network is gone, keeps the figures and says how old they are', async () => {
  const server = new FakeServer();
  const { user } = renderApp();
  await screen.findByText('Connected');
  const synced = (await screen.findByText(/^Last synced/)).textContent;
  server.down();
  await user.click(screen.getByRole('button', { name: 'Sync Data' }));
  expect(await screen.findByText('Disconnected')).toBeVisible();
  expect(screen.getByText('Billing export')).toBeVisible();
  expect(screen.getByText(/^Last synced/).textContent).toBe(synced);
  await waitFor(
    () => expect(screen.getAllByText(/^Not refreshed since \d\d:\d\d:\d\d\.$/).length).toBeGreaterThan(5),
  );
  expect(screen.queryByRole('alert')).toBeNull();
});

it('is connected although one endpoint refuses, for a refusal is an answer', async () => {
  new FakeServer().on('GET /api/devops/events', () => problem(403, 'not_administrator', 'Only an administrator may.'));
  renderApp();
  expect(await screen.findByText('Only an administrator may.')).toBeVisible();
  expect(screen.getByText('Connected')).toBeVisible();
});

it('reads everything again every 30 seconds, but not in a hidden tab', async () => {
  vi.useFakeTimers({ shouldAdvanceTime: true });
  const server = new FakeServer();
  renderApp();
  await screen.findByText('Billing export');
  const reads = () => ['GET /readyz', 'GET /api/devops/sync/users', 'GET /api/devops/keys'].map((what) => server.callsTo(what).length);
  expect(reads()).toEqual([1, 1, 1]);
  await act(() => vi.advanceTimersByTimeAsync(30_500));
  await waitFor(() => expect(reads()).toEqual([2, 2, 2]));

  const visibility = vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden');
  await act(() => vi.advanceTimersByTimeAsync(90_000));
  expect(reads()).toEqual([2, 2, 2]);
  visibility.mockRestore();
});
