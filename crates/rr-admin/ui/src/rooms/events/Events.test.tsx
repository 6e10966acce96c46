import { screen } from '@testing-library/react';
import { expect, it } from 'vitest';

import * as demo from '../../testing/demo';
import { FakeServer, json } from '../../testing/fake-server';
import { expectAccessible, renderApp } from '../../testing/render';

it('opens an event to its data, as text', async () => {
  new FakeServer();
  const { user } = renderApp();
  expect(await screen.findByRole('heading', { name: 'Recent DevOps Events' })).toBeVisible();
  await user.click(await screen.findByText('alert'));
  const data = await screen.findByRole('group', { name: 'Data of alert' });
  expect(JSON.parse(data.textContent ?? '')).toEqual(demo.event.data);
  expect(document.querySelector('img')).toBeNull();
  await expectAccessible();
});

it('goes back in time page by page', async () => {
  new FakeServer().on('GET /api/devops/events', ({ query }) =>
    query.get('cursor') === 'older'
      ? json({ events: [{ ...demo.event, id: 'e2', event_type: 'deployment' }], next_cursor: null })
      : json({ events: [demo.event], next_cursor: 'older' }),
  );
  const { user } = renderApp();
  await user.click(await screen.findByRole('button', { name: 'Show older events' }));
  expect(await screen.findByText('deployment')).toBeVisible();
});

it('has words for no events', async () => {
  new FakeServer().on('GET /api/devops/events', () => json({ events: [], next_cursor: null }));
  renderApp();
  expect(await screen.findByText(/No events yet/)).toBeVisible();
});
