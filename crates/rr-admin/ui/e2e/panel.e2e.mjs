// The panel in a real browser against a real server that holds the demo data.
import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, beforeAll, beforeEach, test } from 'vitest';

import { assertAccessible } from './accessibility.mjs';
import { openPage, startBrowser } from './browser.mjs';
import { findServer } from './server.mjs';

let server;
let panelUrl;
let browser;
let page;
let complaints;

beforeAll(async () => {
  server = await findServer();
  panelUrl = new URL('/admin/embedded-widget', server.url).href;
  browser = await startBrowser();
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});
beforeEach(async () => {
  ({ page, complaints } = await openPage(browser));
});
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') {
    const path = join(tmpdir(), `panel-e2e-${process.pid}.png`);
    await page.screenshot({ path, fullPage: true }).catch(() => {});
    console.error(`What the browser showed: ${path}`);
  }
  await page.context().close();
});

async function signIn(password = server.password) {
  await page.getByLabel('Email').fill(server.email);
  await page.getByLabel('Password').fill(password);
  await page.keyboard.press('Enter');
}

async function openPanel() {
  await page.goto(panelUrl);
  await signIn();
  await page.getByRole('heading', { name: 'DevOps Integration' }).waitFor();
}

/** The text of the card of that title, once it shows something. */
async function cardShows(title, text) {
  await page.getByRole('region', { name: title, exact: true }).getByText(text, { exact: true }).first().waitFor();
}

const call = (path, key, init = {}) =>
  fetch(new URL(path, server.url), { ...init, headers: { 'x-api-key': key, 'content-type': 'application/json' } });

test('a wrong password is refused, the right one lets in, and signing out ends it', async () => {
  await page.goto(new URL('/admin', server.url).href);
  assert.equal(page.url(), panelUrl);
  await page.getByLabel('Email').waitFor();
  await assertAccessible(page, 'the sign-in form');
  await signIn(`${server.password} but wrong`);
  await page.getByRole('alert').waitFor();
  await signIn();
  await page.getByText('Connected', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Password').waitFor();
  await page.reload();
  await page.getByLabel('Password').waitFor();
  assert.deepEqual(complaints, []);
});

test('the demo figures are shown to the cent', async () => {
  await openPanel();
  await cardShows('Users', '2');
  await cardShows('Revenue', '$47.00');
  await cardShows('Monthly recurring revenue', '$47.00');
  await cardShows('Commissions', '$23.50');
  await cardShows('Users by role', 'Member');
  await cardShows('Top performers', '$23.50');
  await page.getByText('Integration Status').waitFor();
  await page.getByText(/^Last synced/).waitFor();
  await assertAccessible(page, 'the panel');
  assert.deepEqual(complaints, []);
});

test('a key is created, works over HTTP, is revoked, and works no more', async () => {
  const name = `Browser test ${Date.now()}`;
  await openPanel();
  await page.getByRole('button', { name: 'Generate New Key' }).click();
  await page.getByLabel('Key Name').fill(name);
  await assertAccessible(page, 'the form for a new key');
  await page.getByRole('button', { name: 'Create Key' }).click();
  const secret = await page.getByLabel('Your new key').inputValue();
  assert.match(secret, /^rr_[0-9A-Za-z]{36}$/);
  await assertAccessible(page, 'the new key');
  await page.getByRole('button', { name: 'I have stored it' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  assert.ok(!(await page.content()).includes(secret), 'the secret is still in the page');

  const figures = await call('/api/devops/sync/users', secret);
  assert.equal(figures.status, 200);
  assert.equal((await figures.json()).total_users, 2);

  const row = page.getByRole('row', { name });
  await row.getByRole('button', { name: 'Rotate' }).click();
  await page.getByLabel('The old secret').selectOption({ label: 'Ends at once' });
  await assertAccessible(page, 'the question before rotating');
  await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click();
  await page.getByText('has a new secret').waitFor();
  const renewed = await page.getByLabel('Your new key').inputValue();
  assert.match(renewed, /^rr_[0-9A-Za-z]{36}$/);
  assert.notEqual(renewed, secret);
  await page.getByRole('button', { name: 'I have stored it' }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  const replaced = await call('/api/devops/sync/users', secret);
  assert.equal(replaced.status, 401);
  assert.equal((await replaced.json()).code, 'key_superseded');
  assert.equal((await call('/api/devops/sync/users', renewed)).status, 200);

  await row.getByRole('button', { name: 'Revoke' }).click();
  await assertAccessible(page, 'the question before revoking');
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await row.getByText('Revoked').waitFor();

  const refused = await call('/api/devops/sync/users', renewed);
  assert.equal(refused.status, 401);
  assert.equal((await refused.json()).code, 'key_revoked');
  assert.deepEqual(complaints, []);
});

test('a leaked key is shown, and rotated away', async () => {
  const name = `Leak test ${Date.now()}`;
  await openPanel();
  await page.getByRole('button', { name: 'Generate New Key' }).click();
  await page.getByLabel('Key Name').fill(name);
  await page.getByRole('button', { name: 'Create Key' }).click();
  const secret = await page.getByLabel('Your new key').inputValue();
  await page.getByRole('button', { name: 'I have stored it' }).click();
  const report = await fetch(new URL('/api/devops/keys/report-leak', server.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ secret, url: '<img src=x onerror="document.title=1">' }),
  });
  assert.deepEqual(await report.json(), { status: 'received' });
  assert.equal((await call('/api/devops/sync/users', secret)).status, 401);

  await page.getByRole('button', { name: 'Sync Data' }).click();
  const row = page.getByRole('row', { name });
  await row.getByText('Leaked', { exact: true }).waitFor();
  await row.getByText(/works no more/).waitFor();
  await assertAccessible(page, 'a leaked key');
  await row.getByRole('button', { name: 'Rotate' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Rotate' }).click();
  const renewed = await page.getByLabel('Your new key').inputValue();
  await page.getByRole('button', { name: 'I have stored it' }).click();
  assert.equal((await call('/api/devops/sync/users', renewed)).status, 200);
  assert.equal((await call('/api/devops/sync/users', secret)).status, 401);

  await row.getByRole('button', { name: 'Revoke' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await row.getByText('Revoked').waitFor();
  assert.deepEqual(complaints, []);
});

test('markup in an event stays text', async () => {
  const name = `Event test ${Date.now()}`;
  await openPanel();
  await page.getByRole('button', { name: 'Generate New Key' }).click();
  await page.getByLabel('Key Name').fill(name);
  await page.getByRole('button', { name: 'Create Key' }).click();
  const secret = await page.getByLabel('Your new key').inputValue();
  await page.getByRole('button', { name: 'I have stored it' }).click();

  const markup = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
  const type = `markup_${Date.now()}`;
  const body = JSON.stringify({ event_type: type, message: markup, amount: 0 }).replace('"amount":0', '"amount":1250.00');
  assert.equal((await call('/api/devops/webhook', secret, { method: 'POST', body })).status, 200);
  await page.getByRole('button', { name: 'Sync Data' }).click();
  await page.getByText(type).click();
  const shown = await page.getByRole('group', { name: `Data of ${type}` }).textContent();
  assert.equal(JSON.parse(shown).message, markup);
  assert.match(shown, /"amount": 1250\.00/, 'digits are shown as they were sent');
  assert.equal(await page.locator('main img').count(), 0);
  await assertAccessible(page, 'an open event');

  await page.getByRole('row', { name }).getByRole('button', { name: 'Revoke' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await page.getByRole('row', { name }).getByText('Revoked').waitFor();
  assert.deepEqual(complaints, []);
});

test('dark colours and a narrow screen are readable too', async () => {
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.setViewportSize({ width: 360, height: 740 });
  await openPanel();
  await cardShows('Commissions', '$23.50');
  await assertAccessible(page, 'the panel, dark and narrow');
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= 360, `the page is ${width} px wide`);
  await page.getByRole('button', { name: 'Use light colours' }).click();
  await assertAccessible(page, 'the panel, light and narrow');
  assert.deepEqual(complaints, []);
});

test('the page refuses to make markup or styles from text', async () => {
  await openPanel();
  assert.deepEqual(complaints, []);
  const refused = await page.evaluate(() => {
    try {
      document.createElement('div').innerHTML = '<b>text</b>';
      return false;
    } catch {
      return true;
    }
  });
  assert.ok(refused, 'markup was made from text');
  const colour = await page.evaluate(() => {
    const style = document.createElement('style');
    style.textContent = 'body { color: rgb(1, 2, 3) !important }';
    document.head.append(style);
    return getComputedStyle(document.body).color;
  });
  assert.notEqual(colour, 'rgb(1, 2, 3)', 'a style sheet without the nonce was applied');
  assert.ok(complaints.length >= 2, 'the violations were not reported');
});
