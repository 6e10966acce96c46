// The server to look at: one that runs already, or one of this test's own.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const RUNNING = ['RR_E2E_URL', 'RR_E2E_EMAIL', 'RR_E2E_PASSWORD'];

/** `{ url, email, password, stop }` of a server with the demo data. */
export async function findServer() {
  const { RR_E2E_URL, RR_E2E_EMAIL, RR_E2E_PASSWORD, RR_TEST_SERVER } = process.env;
  const missing = RUNNING.filter((name) => !process.env[name]);
  if (missing.length === 0) {
    return { url: RR_E2E_URL, email: RR_E2E_EMAIL, password: RR_E2E_PASSWORD, stop: async () => {} };
  }
  if (missing.length < RUNNING.length || !RR_TEST_SERVER) {
    throw new Error(
      `Set ${missing.join(', ')} (a running server with the demo data and an administrator of it), ` +
        'or RR_TEST_SERVER (the program revenue-ripple, which the test then runs on a database of its own).',
    );
  }
  return startServer(RR_TEST_SERVER);
}

async function startServer(program) {
  const folder = await mkdtemp(join(tmpdir(), 'panel-e2e-'));
  const email = 'admin@example.com';
  const password = 'a password for one test';
  const child = spawn(program, ['demo'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env.PATH,
      RR_BIND: '127.0.0.1:0',
      RR_DATABASE_URL: `sqlite://${join(folder, 'demo.db')}`,
      RR_LOG: 'warn',
      RR_ADMIN_EMAIL: email,
      RR_ADMIN_PASSWORD: password,
    },
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  try {
    return { url: await listening(child, ended), email, password, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The address, once the server has said it. */
async function listening(child, ended) {
  const found = new Promise((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const url = /listening on (http:\/\/\S+)/.exec(line)?.[1];
      if (url) resolve(url);
    });
  });
  const failed = ended.then((code) => {
    throw new Error(`The server ended with code ${code} before it listened.`);
  });
  return Promise.race([found, failed]);
}
