import { screen, waitFor, within } from '@testing-library/react';
import { expect, it } from 'vitest';

import * as demo from '../../testing/demo';
import { FakeServer, json, problem } from '../../testing/fake-server';
import { expectAccessible, renderApp } from '../../testing/render';

const SOURCES = '/api/devops/sources';
const github = { ...demo.source, name: 'github', format: 'github', retention_days: 30 };

it('lists sources by what they send and sign with', async () => {
  const signed = { ...github, secrets: [{ ...demo.secret, fingerprint: '2bb80d537b1d' }] };
  new FakeServer().on(`GET ${SOURCES}`, () => json({ sources: [demo.source, signed] }));
  renderApp();
  expect(await screen.findByText('github, kept for 30 days')).toBeVisible();
  expect(screen.getByText('signed with 2bb80d537b1d')).toBeVisible();
  expect(screen.getByText('no secret of its own')).toBeVisible();
  await expectAccessible();
});

it('makes a source and says why it could not', async () => {
  const server = new FakeServer().on(`POST ${SOURCES}`, () =>
    problem(409, 'conflict', 'A webhook source of that name exists.'),
  );
  const { user } = renderApp();
  await user.click(await screen.findByRole('button', { name: 'New Source' }));
  const dialog = await screen.findByRole('dialog', { name: 'New webhook source' });
  await user.type(within(dialog).getByLabelText('Source Name'), 'github');
  await user.selectOptions(within(dialog).getByLabelText('Format'), 'github');
  await user.click(within(dialog).getByRole('button', { name: 'Create Source' }));
  expect(await within(dialog).findByText(/of that name exists/)).toBeVisible();
  server.on(`POST ${SOURCES}`, () => json(github));
  await user.click(within(dialog).getByRole('button', { name: 'Create Source' }));
  await waitFor(() => expect(dialog).not.toBeInTheDocument());
  expect(server.callsTo(`POST ${SOURCES}`)[1]?.body).toEqual({
    name: 'github',
    format: 'github',
    key_id: null,
    unsigned: false,
    retention_days: null,
    retention_bytes: null,
  });
});

it('changes what a source sends, with which key, and how long it is kept', async () => {
  const revoked = { ...demo.key, id: 'revoked', name: 'Old robot', status: 'revoked' as const, is_active: false };
  const reader = { ...demo.key, id: 'reader', name: 'Reader', permissions: ['read_metrics'] };
  const bound = { ...github, key_id: 'revoked', retention_bytes: 3 << 20 };
  const server = new FakeServer()
    .on(`GET ${SOURCES}`, () => json({ sources: [bound] }))
    .on('GET /api/devops/keys', () => json({ keys: [demo.key, revoked, reader], next_cursor: null }))
    .on(`PATCH ${SOURCES}/github`, () => json(bound));
  const { user } = renderApp();
  expect(await screen.findByText('github, with a key of its own, kept for 30 days')).toBeVisible();
  await user.click(screen.getByRole('button', { name: 'Change github' }));
  const dialog = await screen.findByRole('dialog', { name: 'Webhook source “github”' });
  const key = await within(dialog).findByLabelText('Key');
  expect(await within(key).findByRole('option', { name: 'Old robot (revoked)', selected: true })).toBeInTheDocument();
  expect(within(key).queryByRole('option', { name: /Reader/ })).toBeNull();
  expect(within(dialog).getByLabelText('Keep MiB of bodies')).toHaveValue(3);
  await user.selectOptions(key, 'Billing export (rr_Ab3x…)');
  await user.click(within(dialog).getByRole('checkbox', { name: 'Its sender cannot sign' }));
  await user.clear(within(dialog).getByLabelText('Keep for days'));
  await user.clear(within(dialog).getByLabelText('Keep MiB of bodies'));
  await user.type(within(dialog).getByLabelText('Keep MiB of bodies'), '0.5');
  await expectAccessible();
  await user.click(within(dialog).getByRole('button', { name: 'Save' }));
  await waitFor(() => expect(dialog).not.toBeInTheDocument());
  expect(server.callsTo(`PATCH ${SOURCES}/github`)[0]?.body).toEqual({
    format: 'github',
    key_id: demo.key.id,
    unsigned: true,
    retention_days: null,
    retention_bytes: 1 << 19,
  });
});

it('removes a source after a question, and never the default one', async () => {
  const server = new FakeServer()
    .on(`GET ${SOURCES}`, () => json({ sources: [demo.source, github] }))
    .on(`DELETE ${SOURCES}/github`, () => new Response(null, { status: 204 }));
  const { user } = renderApp();
  await user.click(await screen.findByRole('button', { name: 'Change default' }));
  expect(await screen.findByRole('button', { name: 'Save' })).toBeVisible();
  expect(screen.queryByRole('button', { name: /Remove/ })).toBeNull();
  expect(screen.queryByLabelText('Key')).toBeNull();
  await user.click(screen.getByRole('button', { name: 'Cancel' }));
  await user.click(screen.getByRole('button', { name: 'Change github' }));
  await user.click(await screen.findByRole('button', { name: /Remove this source/ }));
  const question = await screen.findByRole('dialog', { name: 'Remove the source “github”?' });
  expect(server.callsTo(`DELETE ${SOURCES}/github`)).toHaveLength(0);
  await user.click(within(question).getByRole('button', { name: 'Remove' }));
  expect(await screen.findByText('The source “github” is gone.')).toBeInTheDocument();
  expect(server.callsTo(`DELETE ${SOURCES}/github`)).toHaveLength(1);
});

it('adds a secret and lets the one before it end', async () => {
  const signed = { ...github, secrets: [demo.secret] };
  const server = new FakeServer()
    .on(`GET ${SOURCES}`, () => json({ sources: [signed] }))
    .on(`POST ${SOURCES}/github/secrets`, () => json(signed));
  const { user } = renderApp();
  await user.click(await screen.findByRole('button', { name: 'New secret for github' }));
  await user.type(screen.getByLabelText('Signing secret'), 'a secret of some length');
  await user.selectOptions(screen.getByLabelText('The secrets before it'), '0');
  await user.click(screen.getByRole('button', { name: 'Add Secret' }));
  expect(await screen.findByText('The source “github” has a new secret.')).toBeInTheDocument();
  expect(server.callsTo(`POST ${SOURCES}/github/secrets`)[0]?.body).toEqual({
    secret: 'a secret of some length',
    overlap_s: 0,
  });
  expect(screen.queryByDisplayValue('a secret of some length')).toBeNull();
});

it('switches a source off', async () => {
  const server = new FakeServer().on(`PATCH ${SOURCES}/default`, () => json({ ...demo.source, enabled: false }));
  const { user } = renderApp();
  await user.click(await screen.findByRole('switch', { name: 'Take what default sends' }));
  await waitFor(() => expect(server.callsTo(`PATCH ${SOURCES}/default`)).toHaveLength(1));
  expect(server.callsTo(`PATCH ${SOURCES}/default`)[0]?.body).toEqual({ enabled: false });
});
