import { screen, waitFor } from '@testing-library/react';
import { expect, it } from 'vitest';

import * as demo from './testing/demo';
import { FakeServer, json, problem, unreachable } from './testing/fake-server';
import { expectAccessible, renderApp } from './testing/render';

const signedOut = () => problem(401, 'unauthenticated', 'This needs a session.');

async function signIn(user: ReturnType<typeof renderApp>['user']) {
  await user.type(await screen.findByLabelText('Email'), 'admin@example.com');
  await user.type(screen.getByLabelText('Password'), 'a long password');
  await user.click(screen.getByRole('button', { name: 'Sign in' }));
}

it('asks a stranger to sign in, then shows the panel', async () => {
  const server = new FakeServer().on('GET /api/auth/me', signedOut);
  const { user } = renderApp();
  await screen.findByLabelText('Email');
  await expectAccessible();
  await signIn(user);
  expect(await screen.findByRole('heading', { name: 'DevOps Integration' })).toBeVisible();
  expect(server.callsTo('POST /api/auth/login')[0]?.body).toEqual({
    email: 'admin@example.com',
    password: 'a long password',
  });
});

it('says in the server’s words why nobody was let in', async () => {
  new FakeServer()
    .on('GET /api/auth/me', signedOut)
    .on('POST /api/auth/login', () => problem(401, 'invalid_credentials', 'E-mail or password is wrong.'));
  const { user } = renderApp();
  await signIn(user);
  expect(await screen.findByRole('alert')).toHaveTextContent('E-mail or password is wrong.');
  // The refusal is an answer to the form, not the end of a session that never was.
  expect(screen.queryByText(/session has ended/)).toBeNull();
});

it('says when to try again after too many attempts', async () => {
  new FakeServer()
    .on('GET /api/auth/me', signedOut)
    .on('POST /api/auth/login', () => problem(429, 'rate_limited', 'Too many sign-ins.', { 'retry-after': '45' }));
  const { user } = renderApp();
  await signIn(user);
  expect(await screen.findByRole('alert')).toHaveTextContent('Too many sign-ins. Try again in 45 seconds.');
});

it('goes back to the form when any answer is a 401, and forgets what was read', async () => {
  const server = new FakeServer();
  const { user, client } = renderApp();
  await screen.findByText('Billing export');
  server.on('GET /api/devops/events', signedOut);
  await user.click(screen.getByRole('button', { name: 'Sync Data' }));
  expect(await screen.findByText(/Your session has ended/)).toBeVisible();
  expect(screen.queryByText('Billing export')).toBeNull();
  await waitFor(() => expect(client.getQueryCache().findAll({ queryKey: ['data'] })).toHaveLength(0));
});

it('signs out', async () => {
  const server = new FakeServer();
  const { user } = renderApp();
  await user.click(await screen.findByRole('button', { name: 'Sign out' }));
  expect(await screen.findByLabelText('Password')).toBeVisible();
  expect(screen.queryByText(/session has ended/)).toBeNull();
  expect(server.callsTo('POST /api/auth/logout')).toHaveLength(1);
});

it('says so when signing out did not work', async () => {
  new FakeServer().on('POST /api/auth/logout', () => problem(503, 'unavailable', 'The database does not answer.'));
  const { user } = renderApp();
  await user.click(await screen.findByRole('button', { name: 'Sign out' }));
  expect(await screen.findByText(/You are still signed in: The database does not answer/)).toBeVisible();
});

it('does not take an outage for a stranger', async () => {
  const server = new FakeServer().on('GET /api/auth/me', unreachable);
  const { user } = renderApp();
  const again = await screen.findByRole('button', { name: 'Try again' });
  expect(screen.getByRole('alert')).toHaveTextContent('The server does not answer.');
  server.on('GET /api/auth/me', () => json({ user: demo.user }));
  await user.click(again);
  expect(await screen.findByRole('heading', { name: 'DevOps Integration' })).toBeVisible();
});
