import { screen, waitFor, within } from '@testing-library/react';
import { expect, it } from 'vitest';

import * as demo from '../../testing/demo';
import { ENDING_KEYS, FakeServer, json, problem, unreachable } from '../../testing/fake-server';
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
  // Whoever cannot see the page change is where the new key is, with the warning read out.
  expect(screen.getByRole('button', { name: 'Copy' })).toHaveFocus();
  expect(screen.getByRole('button', { name: 'Copy' })).toHaveAccessibleDescription(/shown once/);
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
  expect(screen.getByRole('button', { name: 'Generate New Key' })).toHaveFocus();
  expect(document.body.innerHTML).not.toContain(SECRET);
  await waitFor(() => expect(client.getMutationCache().getAll()).toHaveLength(0));
  expect(server.callsTo('GET /api/devops/keys')).toHaveLength(2);
});

it('creates a key that begins and ends on days of choice', async () => {
  const server = new FakeServer().on('POST /api/devops/generate-key', created);
  const { user } = renderApp();
  await openForm(user, 'CI');
  await user.type(screen.getByLabelText('Valid from'), '2027-02-01');
  await user.selectOptions(screen.getByLabelText('Expires'), 'After a day of your choice');
  await user.type(screen.getByLabelText('Last day'), '2027-02-28');
  await expectAccessible();
  await user.click(screen.getByRole('button', { name: 'Create Key' }));
  await screen.findByLabelText('Your new key');
  expect(server.callsTo('POST /api/devops/generate-key')[0]?.body).toEqual({
    name: 'CI',
    permissions: ['read_metrics', 'write_webhooks'],
    not_before: new Date(2027, 1, 1).toISOString(),
    expires_at: new Date(2027, 2, 1).toISOString(),
  });
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
  expect(within(row).getByRole('button', { name: 'Revoke' })).toHaveFocus();

  server.on('GET /api/devops/keys', () =>
    json({ keys: [{ ...demo.key, status: 'revoked', is_active: false }], next_cursor: null }),
  );
  await user.click(within(row).getByRole('button', { name: 'Revoke' }));
  await user.click(within(await screen.findByRole('dialog')).getByRole('button', { name: 'Revoke' }));
  expect(await screen.findByText('Revoked')).toBeVisible();
  expect(server.callsTo(`DELETE ${path}`)).toHaveLength(1);
  expect(screen.queryByRole('button', { name: 'Revoke' })).toBeNull();
  expect(screen.getByText('The key “Billing export” is revoked.')).toBeInTheDocument();
  // The button that opened the question is gone; the focus must not be.
  expect(screen.getByRole('heading', { name: 'API Key Management' })).toHaveFocus();
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

const rotatePath = `/api/devops/keys/${demo.key.id}/rotate`;
const rotated = () => json({ api_key: SECRET, key_id: demo.key.id, grace_until: '2026-11-23T12:00:00Z' });

it('rotates a key with the grace that was chosen and shows the new secret once', async () => {
  const server = new FakeServer().on(`POST ${rotatePath}`, rotated);
  const { user, client } = renderApp();
  await user.click(await screen.findByRole('button', { name: 'Rotate' }));
  const dialog = within(await screen.findByRole('dialog'));
  expect(dialog.getByLabelText('The old secret')).toHaveDisplayValue('Works for one more day');
  await expectAccessible();
  await user.selectOptions(dialog.getByLabelText('The old secret'), 'Works for one more hour');
  await user.click(dialog.getByRole('button', { name: 'Rotate' }));

  expect(await screen.findByLabelText('Your new key')).toHaveValue(SECRET);
  expect(screen.getByText(/If it gets lost, rotate the key again/)).toBeVisible();
  const [call] = server.callsTo(`POST ${rotatePath}`);
  expect(call?.body).toEqual({ grace_s: 3600, start: 'now' });
  expect(call?.headers.get('idempotency-key')).toMatch(/^[0-9a-f]{32}$/);
  await user.click(screen.getByRole('button', { name: 'Copy' }));
  expect(await navigator.clipboard.readText()).toBe(SECRET);
  await user.keyboard('{Escape}');
  expect(screen.getByLabelText('Your new key')).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'I have stored it' }));
  await waitFor(() => expect(screen.queryByRole('dialog')).toBeNull());
  expect(document.body.innerHTML).not.toContain(SECRET);
  await waitFor(() => expect(client.getMutationCache().getAll()).toHaveLength(0));
});

it('rotates under the same id until an earlier attempt turns out to have arrived', async () => {
  const answers = [unreachable, unreachable, () => problem(409, 'already_rotated', 'It was rotated.'), rotated];
  const server = new FakeServer().on(`POST ${rotatePath}`, () => (answers.shift() ?? rotated)());
  const { user } = renderApp();
  await user.click(await screen.findByRole('button', { name: 'Rotate' }));
  const dialog = within(await screen.findByRole('dialog'));
  const send = () => user.click(dialog.getByRole('button', { name: 'Rotate' }));
  await send();
  await dialog.findByRole('alert');
  await send();
  await waitFor(() => expect(server.callsTo(`POST ${rotatePath}`)).toHaveLength(2));
  await dialog.findByRole('alert');
  await send();
  await dialog.findByText(/nobody has seen its secret/);
  await send();
  expect(await screen.findByLabelText('Your new key')).toHaveValue(SECRET);
  const ids = server.callsTo(`POST ${rotatePath}`).map((call) => call.headers.get('idempotency-key'));
  expect(ids[1]).toBe(ids[0]);
  expect(ids[2]).toBe(ids[0]);
  expect(ids[3]).not.toBe(ids[0]);
});

it('shows a leak that is open, and rotates it away', async () => {
  const leak = {
    reported_at: '2026-11-22T11:00:00Z',
    url: 'javascript:alert(1)',
    works: true,
    uses_since: 3,
    last_used_since: '2026-11-22T11:30:00Z',
    refused_since: 0,
  };
  const server = new FakeServer().on('GET /api/devops/keys', () =>
    json({ keys: [{ ...demo.key, leak }], next_cursor: null }),
  );
  const { user } = renderApp();
  const row = within(await screen.findByRole('row', { name: /Billing export/ }));
  expect(row.getByText('Leaked')).toBeVisible();
  expect(row.getByText(/is public and works/)).toHaveTextContent(/found at javascript:alert\(1\); the key was used 3 times/);
  expect(document.querySelector('a[href^="javascript"]')).toBeNull();
  await expectAccessible();

  server
    .on('GET /api/devops/keys', () =>
      json({ keys: [{ ...demo.key, status: 'disabled', leak: { ...leak, works: false } }], next_cursor: null }),
    )
    .on(`PATCH /api/devops/keys/${demo.key.id}`, () => json(demo.key))
    .on(`POST ${rotatePath}`, rotated);
  await user.click(screen.getByRole('button', { name: 'Sync Data' }));
  expect(await screen.findByText(/works no more/)).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Rotate' }));
  const dialog = within(await screen.findByRole('dialog'));
  expect(dialog.getByLabelText('The old secret')).toHaveDisplayValue('Ends at once');
  expect(dialog.getByText(/the secret that leaked stays dead/)).toBeVisible();
  await user.click(dialog.getByRole('button', { name: 'Rotate' }));
  expect(await screen.findByLabelText('Your new key')).toHaveValue(SECRET);
  expect(server.callsTo(`PATCH /api/devops/keys/${demo.key.id}`)[0]?.body).toEqual({ enabled: true });
  expect(server.callsTo(`POST ${rotatePath}`)[0]?.body).toEqual({ grace_s: 0, start: 'now' });
});

it('tells that a dead secret is still tried', async () => {
  const refused = { count: 3, last_used: '2026-11-22T11:30:00Z', last_address: '192.0.2.7' };
  const key = { ...demo.key, status: 'revoked', usage: { ...demo.key.usage, refused } };
  new FakeServer().on('GET /api/devops/keys', () => json({ keys: [key], next_cursor: null }));
  renderApp();
  expect(await screen.findByText(/A dead secret was tried 3 times/)).toHaveTextContent(/from 192\.0\.2\.7\./);
});

it('points out the keys that end soon', async () => {
  const soon = new Date(Date.now() + 3 * 86_400_000 + 60_000).toISOString();
  const ending = { ...demo.key, expires_at: soon };
  const server = new FakeServer()
    .on('GET /api/devops/keys', () => json({ keys: [ending], next_cursor: null }))
    .on(`GET ${ENDING_KEYS}`, () => json({ keys: [ending, { ...ending, id: 'k2', name: 'CI' }], next_cursor: null }));
  renderApp();
  expect(await screen.findByText(/2 keys end within 14 days/)).toBeVisible();
  const row = within(await screen.findByRole('row', { name: /Billing export/ }));
  expect(row.getByText('Ends soon')).toBeVisible();
  expect(server.callsTo(`GET ${ENDING_KEYS}`)[0]?.query.get('expires_within_days')).toBe('14');
  await expectAccessible();
});

const soon = (n: number) => ({ ...demo.key, id: `k${n}`, name: `Key ${n}`, expires_at: '2026-11-30T09:00:00Z' });

it('says when nobody knows which keys end soon, and when there are more than it was told of', async () => {
  const server = new FakeServer().on(`GET ${ENDING_KEYS}`, () => problem(503, 'busy', 'Too much is waiting.'));
  const { client } = renderApp();
  expect(await screen.findByText('Which keys end within 14 days could not be read.')).toBeVisible();
  server.on(`GET ${ENDING_KEYS}`, () => json({ keys: [1, 2, 3, 4, 5, 6].map(soon), next_cursor: 'next' }));
  await client.invalidateQueries();
  expect(await screen.findByText(/6 keys or more end/)).toBeVisible();
  expect(screen.getByText(/and 1 or more others/)).toBeVisible();
});

it('tells when a key that does not work yet will', async () => {
  const not_before = new Date(Date.now() + 86_500_000).toISOString();
  const key = { ...demo.key, status: 'not_yet_valid', is_active: false, not_before };
  new FakeServer().on('GET /api/devops/keys', () =>
    json({ keys: [key, { ...demo.key, id: 'k2', name: 'Begun', not_before: demo.key.created_at }], next_cursor: null }),
  );
  renderApp();
  const row = within(await screen.findByRole('row', { name: /Billing export/ }));
  expect(row.getByText(/^Works from/)).toBeVisible();
  expect(within(screen.getByRole('row', { name: /Begun/ })).queryByText(/Works from/)).toBeNull();
});

it('offers no rotation where none is possible', async () => {
  new FakeServer().on('GET /api/devops/keys', () =>
    json({ keys: [{ ...demo.key, status: 'expired', is_active: false }], next_cursor: null }),
  );
  renderApp();
  await screen.findByText('Expired');
  expect(screen.queryByRole('button', { name: 'Rotate' })).toBeNull();
});

it('tells what a used key never needed, and who still shows its old secret', async () => {
  const superseded = { count: 2, last_used: new Date(Date.now() - 300_000).toISOString(), last_address: '192.0.2.7' };
  const used = {
    ...demo.key,
    grace_until: new Date(Date.now() + 86_500_000).toISOString(),
    usage: { count: 9, permissions: [], superseded },
    unused_permissions: ['write_webhooks'],
  };
  new FakeServer().on('GET /api/devops/keys', () =>
    json({ keys: [used, { ...demo.key, id: 'k2', name: 'Fresh' }], next_cursor: null }),
  );
  renderApp();
  const row = within(await screen.findByRole('row', { name: /Billing export/ }));
  expect(row.getByText('Never needed: write_webhooks')).toBeVisible();
  expect(row.getByText(/^The old secret ends/)).toHaveTextContent('used 2 times, last 5m ago from 192.0.2.7');
  expect(within(screen.getByRole('row', { name: /Fresh/ })).queryByText(/Never needed/)).toBeNull();
});

it('rotates so that the grace starts with the first use, and shows the secret that waits', async () => {
  const pending = { hint: 'rr_next', since: new Date(Date.now() - 300_000).toISOString(), grace_s: 86_400 };
  const server = new FakeServer()
    .on('GET /api/devops/keys', () => json({ keys: [{ ...demo.key, pending }], next_cursor: null }))
    .on(`POST ${rotatePath}`, () => json({ api_key: SECRET, key_id: demo.key.id, grace_until: null }));
  const { user } = renderApp();
  expect(await screen.findByText(/A new secret \(rr_next…\) waits for its first use/)).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Rotate' }));
  const dialog = within(await screen.findByRole('dialog'));
  await user.click(dialog.getByRole('checkbox', { name: 'Start when the new secret is first used' }));
  await user.click(dialog.getByRole('button', { name: 'Rotate' }));
  await screen.findByText(/If it gets lost, rotate the key again/);
  expect(server.callsTo(`POST ${rotatePath}`)[0]?.body).toEqual({ grace_s: 86_400, start: 'first_use' });
});
