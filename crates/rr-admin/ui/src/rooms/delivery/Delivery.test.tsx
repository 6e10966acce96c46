import { screen, within } from '@testing-library/react';
import { expect, it } from 'vitest';

import * as demo from '../../testing/demo';
import { FakeServer, json, problem } from '../../testing/fake-server';
import { expectAccessible, renderApp } from '../../testing/render';

const DORA = 'GET /api/devops/dora';

async function room() {
  return within(await screen.findByRole('region', { name: 'Delivery, 13 weeks' }));
}

it('shows the five figures, the weeks, and what incidents are put down to', async () => {
  new FakeServer();
  renderApp();
  const delivery = await room();
  expect(await delivery.findByRole('heading', { name: 'shop, production' })).toBeVisible();
  const figures: [string, string][] = [
    ['Deployment days a week', '2.5'],
    ['Change lead time', '13 hours'],
    ['Change fail rate', '12.5 %'],
    ['Recovery time', '1.5 hours'],
    ['Rework rate', 'not known'],
  ];
  for (const [title, value] of figures) {
    expect(delivery.getByText(title).nextElementSibling).toHaveTextContent(value);
  }
  const table = delivery.getByRole('table', { name: 'Deployments of shop, production by week' });
  expect(within(table).getByRole('row', { name: 'Nov 8 3 deployments, 1 did harm' })).toBeInTheDocument();
  expect(delivery.getByText('the incident names it')).toBeVisible();
  expect(delivery.getByText('high confidence')).toBeVisible();
  expect(delivery.getByText('1 more without a known cause.')).toBeVisible();
  await expectAccessible();
});

it('shows one service at a time', async () => {
  const staging = { ...demo.delivery, environment: 'staging', links: [] };
  new FakeServer().on(DORA, () => json({ ...demo.dora, services: [demo.delivery, staging] }));
  const { user } = renderApp();
  const delivery = await room();
  await user.selectOptions(await delivery.findByLabelText('Service and environment'), 'shop, staging');
  expect(delivery.getByRole('heading', { name: 'shop, staging' })).toBeVisible();
  expect(delivery.queryByRole('heading', { name: 'shop, production' })).toBeNull();
  expect(delivery.getByText('No incident is tied to a deployment.')).toBeVisible();
});

it('says so when nothing is known, and when nothing can be read', async () => {
  const server = new FakeServer().on(DORA, () => json({ ...demo.dora, services: [], incidents_without_service: 2 }));
  const { client } = renderApp();
  const delivery = await room();
  expect(await delivery.findByText('No deployment and no incident has been told of yet.')).toBeVisible();
  expect(delivery.getByText(/^2 incidents name neither a service/)).toBeVisible();
  server.on(DORA, () => problem(422, 'invalid_parameter', 'The window holds too many events.'));
  await client.invalidateQueries();
  expect(await delivery.findByText(/holds too many events/)).toBeVisible();
});
