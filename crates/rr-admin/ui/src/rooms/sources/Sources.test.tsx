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
  expect(server.callsTo(`POST ${SOURCES}`)[1]?.body).toEqual({ name: 'github', format: 'github', retention_days: null });
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
