import { screen, waitFor, within } from '@testing-library/react';
import { expect, it } from 'vitest';

import * as demo from '../../testing/demo';
import { FakeServer, json, problem } from '../../testing/fake-server';
import { expectAccessible, renderApp } from '../../testing/render';

const path = `/api/devops/keys/${demo.key.id}`;
const burst = { name: 'burst', limit: 10, window_s: 1 };
const sustained = { name: 'sustained', limit: 1_000, window_s: 3_600 };

const keysWith = (rate_limits: (typeof burst)[]) => () =>
  json({ keys: [{ ...demo.key, rate_limits }], next_cursor: null });

/** The row of a limit, counted from one. */
const limit = (number: number) => within(screen.getByRole('group', { name: `Limit ${number}` }));

it('makes a key with several limits', async () => {
  const server = new FakeServer().on('POST /api/devops/generate-key', () => problem(503, 'busy', 'Later.'));
  const { user } = renderApp();
  await user.click(await screen.findByRole('button', { name: 'Generate New Key' }));
  await user.type(await screen.findByLabelText('Key Name'), 'CI');
  const add = () => user.click(screen.getByRole('button', { name: 'Add a limit' }));
  await add();
  await user.clear(limit(1).getByLabelText('Name'));
  await user.type(limit(1).getByLabelText('Name'), 'burst');
  await user.type(limit(1).getByLabelText('Requests'), '10');
  await user.selectOptions(limit(1).getByLabelText('Unit'), 'seconds');
  await add();
  await add();
  await expectAccessible();
  await add();
  expect(screen.queryByRole('button', { name: 'Add a limit' })).toBeNull();
  await user.click(screen.getByRole('button', { name: 'Remove limit 4' }));
  await user.click(screen.getByRole('button', { name: 'Remove limit 2' }));
  await user.click(screen.getByRole('button', { name: 'Create Key' }));
  expect(server.callsTo('POST /api/devops/generate-key'), 'a limit without a number').toHaveLength(0);
  await user.type(limit(2).getByLabelText('Requests'), '1000');
  await user.selectOptions(limit(2).getByLabelText('Unit'), 'hours');
  await user.click(screen.getByRole('button', { name: 'Create Key' }));
  await screen.findByText('Later.');
  const [call] = server.callsTo('POST /api/devops/generate-key');
  expect(call?.body).toMatchObject({ rate_limits: [burst, sustained] });
});

it('shows the limits of a key and changes them', async () => {
  const server = new FakeServer()
    .on('GET /api/devops/keys', keysWith([burst, sustained]))
    .on(`PATCH ${path}`, () => problem(422, 'invalid_body', 'A limit name stands twice.'));
  const { user } = renderApp();
  const row = within(await screen.findByRole('row', { name: /Billing export/ }));
  expect(row.getByText('At most burst: 10 in 1 second, sustained: 1,000 in 1 hour')).toBeVisible();
  await user.click(row.getByRole('button', { name: 'Limits' }));
  const dialog = within(await screen.findByRole('dialog'));
  await expectAccessible();
  expect(limit(2).getByLabelText('Requests')).toHaveValue(1_000);
  await user.clear(limit(1).getByLabelText('Requests'));
  await user.type(limit(1).getByLabelText('Requests'), '20');
  await user.click(dialog.getByRole('button', { name: 'Remove limit 2' }));
  await user.click(dialog.getByRole('button', { name: 'Save' }));
  expect(await dialog.findByRole('alert')).toHaveTextContent('A limit name stands twice.');

  const changed = [{ ...burst, limit: 20 }];
  server.on(`PATCH ${path}`, () => json(demo.key)).on('GET /api/devops/keys', keysWith(changed));
  await user.click(dialog.getByRole('button', { name: 'Save' }));
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  expect(screen.getByText('At most burst: 20 in 1 second')).toBeVisible();
  expect(screen.getByText('The limits of “Billing export” are saved.')).toBeInTheDocument();
  expect(server.callsTo(`PATCH ${path}`).map((call) => call.body)).toEqual([
    { rate_limits: changed },
    { rate_limits: changed },
  ]);
});

it('takes the last limit away', async () => {
  const server = new FakeServer()
    .on('GET /api/devops/keys', keysWith([burst]))
    .on(`PATCH ${path}`, () => json(demo.key));
  const { user } = renderApp();
  await user.click(await screen.findByRole('button', { name: 'Limits' }));
  await user.click(await screen.findByRole('button', { name: 'Remove limit 1' }));
  expect(screen.getByText('The key may be used as often as anybody likes.')).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Save' }));
  await waitFor(() => expect(server.callsTo(`PATCH ${path}`)[0]?.body).toEqual({ rate_limits: [] }));
});
