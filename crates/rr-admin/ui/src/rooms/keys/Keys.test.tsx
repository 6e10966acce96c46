import { screen, waitFor, within } from '@testing-library/react';
import { expect, it } from 'vitest';

import * as demo from '../../testing/demo';
import { FakeServer, json, problem, unreachable } from '../../testing/fake-server';
import { expectAccessible, renderApp } from '../../testing/render';

const SECRET = ['rr_', '0123456789ABCDEFGHIJabcdefghij', '4Us3aw'].join('');

const created = () =>
  json({
    api_key: SECRET,
    key_id: '0190c000-0000-7000-8000-000000000006',
    name: 'CI',
    permissions: ['read_metrics'],
    created_at: '2026-11-22T12:00:00Z',
    expires_at: null,
  });

type User = ReturnType<typeof renderApp>['user'];

async function openForm(user: User, name: string) {
  await user.click(await screen.findByRole('button', { name: 'Generate New Key' }));
  await user.type(await screen.findByLabelText('Key Name'), name);
}

it('lists keys by their hint alone', async () => {
  new FakeServer();
  renderApp();
  const row = await screen.findByRole('row', { name: /Billing export/ });
  expect(within(row).getByText('rr_Ab3x…')).toBeVisible();
  expect(within(row).getByText('Active')).toBeVisible();
  expect(within(row).getByText('Never')).toBeVisible();
});

it('creates a key, shows it once and lets go of it', async () => {
  const server = new FakeServer().on('POST /api/devops/generate-key', created);
  const { user, client } = renderApp();
  await openForm(user, ' CI ');
  await user.click(screen.getByRole('checkbox', { name: 'write_webhooks' }));
  await user.selectOptions(screen.getByLabelText('Expires'), 'Never');
  await expectAccessible();
  await user.click(screen.getByRole('button', { name: 'Create Key' }));

  expect(await screen.findByLabelText('Your new key')).toHaveValue(SECRET);
  await expectAccessible();
  expect(server.callsTo('POST /api/devops/generate-key')[0]?.body).toEqual({
    name: 'CI',
    permissions: ['read_metrics'],
    expires_at: null,
  });
  await user.click(screen.getByRole('button', { name: 'Copy' }));
  expect(await screen.findByRole('button', { name: 'Copied' })).toBeVisible();
  expect(await navigator.clipboard.readText()).toBe(SECRET);

  await user.keyboard('{Escape}');
  expect(screen.getByLabelText('Your new key')).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'I have stored it' }));
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  expect(document.body.innerHTML).not.toContain(SECRET);
  await waitFor(() => expect(client.getMutationCache().getAll()).toHaveLength(0));
  expect(server.callsTo('GET /api/devops/keys')).toHaveLength(2);
});

it('asks again under the same idempotency key while the form is the same', async () => {
  const server = new FakeServer().on('POST /api/devops/generate-key', unreachable);
  const { user } = renderApp();
  await openForm(user, 'CI');
  const send = () => user.click(screen.getByRole('button', { name: 'Create Key' }));
  await send();
  await screen.findByText('The server does not answer. Is it running, and is the network up?');
  await send();
  await user.type(screen.getByLabelText('Key Name'), '2');
  await send();
  const sent = server.callsTo('POST /api/devops/generate-key').map((call) => call.headers.get('idempotency-key'));
  expect(sent[0]).toMatch(/^[0-9a-f]{32}$/);
  expect(sent[1]).toBe(sent[0]);
  expect(sent[2]).not.toBe(sent[0]);
});

it('says what to do when an earlier attempt had arrived', async () => {
  new FakeServer().on('POST /api/devops/generate-key', () =>
    problem(409, 'already_created', 'This Idempotency-Key has made a key already.'),
  );
  const { user } = renderApp();
  await openForm(user, 'CI');
  await user.click(screen.getByRole('button', { name: 'Create Key' }));
  expect(await screen.findByText(/nobody has seen its secret/)).toBeVisible();
});

it('does not create a key that can do nothing', async () => {
  const server = new FakeServer();
  const { user } = renderApp();
  await openForm(user, 'CI');
  await user.click(screen.getByRole('checkbox', { name: 'read_metrics' }));
  await user.click(screen.getByRole('checkbox', { name: 'write_webhooks' }));
  await user.click(screen.getByRole('button', { name: 'Create Key' }));
  expect(await screen.findByText(/Choose at least one/)).toBeVisible();
  expect(server.callsTo('POST /api/devops/generate-key')).toHaveLength(0);
});

it('revokes only after the question', async () => {
  const path = `/api/devops/keys/${demo.key.id}`;
  const server = new FakeServer().on(`DELETE ${path}`, () => new Response(null, { status: 204 }));
  const { user } = renderApp();
  const row = await screen.findByRole('row', { name: /Billing export/ });
  await user.click(within(row).getByRole('button', { name: 'Revoke' }));
  const dialog = within(await screen.findByRole('dialog'));
  await expectAccessible();
  await user.click(dialog.getByRole('button', { name: 'Keep it' }));
  expect(server.callsTo(`DELETE ${path}`)).toHaveLength(0);

  server.on('GET /api/devops/keys', () =>
    json({ keys: [{ ...demo.key, status: 'revoked', is_active: false }], next_cursor: null }),
  );
  await user.click(within(row).getByRole('button', { name: 'Revoke' }));
  await user.click(within(await screen.findByRole('dialog')).getByRole('button', { name: 'Revoke' }));
  expect(await screen.findByText('Revoked')).toBeVisible();
  expect(server.callsTo(`DELETE ${path}`)).toHaveLength(1);
  expect(screen.queryByRole('button', { name: 'Revoke' })).toBeNull();
  expect(screen.getByText('The key “Billing export” is revoked.')).toBeInTheDocument();
});

it('keeps the question open when revoking failed', async () => {
  new FakeServer().on(`DELETE /api/devops/keys/${demo.key.id}`, () => problem(503, 'busy', 'Too much is waiting.'));
  const { user } = renderApp();
  await user.click(await screen.findByRole('button', { name: 'Revoke' }));
  const dialog = within(await screen.findByRole('dialog'));
  await user.click(dialog.getByRole('button', { name: 'Revoke' }));
  expect(await dialog.findByRole('alert')).toHaveTextContent('Too much is waiting.');
});

it('shows further keys page by page', async () => {
  const server = new FakeServer().on('GET /api/devops/keys', ({ query }) =>
    query.get('cursor') === 'second'
      ? json({ keys: [{ ...demo.key, id: 'k2', name: 'Older key' }], next_cursor: null })
      : json({ keys: [demo.key], next_cursor: 'second' }),
  );
  const { user } = renderApp();
  await user.click(await screen.findByRole('button', { name: 'Show more keys' }));
  expect(await screen.findByText('Older key')).toBeVisible();
  expect(screen.queryByRole('button', { name: 'Show more keys' })).toBeNull();
  expect(server.callsTo('GET /api/devops/keys')).toHaveLength(2);
});
