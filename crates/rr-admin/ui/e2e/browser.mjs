// Starts a Chromium that is installed already. Nothing is ever downloaded.
import { existsSync } from 'node:fs';

import { chromium } from 'playwright-core';

const USUAL_PLACES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome-stable',
  '/usr/bin/google-chrome',
  '/snap/bin/chromium',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** A headless browser with a profile of its own, which goes when it closes. */
export async function startBrowser() {
  const executablePath = process.env.CHROMIUM || process.env.RR_TEST_CHROMIUM || USUAL_PLACES.find((path) => existsSync(path));
  if (!executablePath) {
    throw new Error('No Chromium was found. Install it (Debian: apt-get install chromium) or set CHROMIUM to its path.');
  }
  const args = [
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ];
  // Chromium's sandbox does not work for root, which is who runs things in many containers.
  if (process.getuid?.() === 0) args.push('--no-sandbox');
  return chromium.launch({ executablePath, headless: true, args });
}

/**
 * A page that remembers what must not happen: violations of the Content-Security-Policy, errors on the console,
 * scripts that broke.
 */
export async function openPage(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const complaints = [];
  await page.exposeFunction('reportViolation', (violation) => complaints.push(`policy: ${violation}`));
  await page.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => {
      window.reportViolation(`${event.effectiveDirective} blocked ${event.blockedURI} ${event.sample}`);
    });
  });
  page.on('pageerror', (error) => complaints.push(`script: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' && !isExpected(message)) complaints.push(`console: ${message.text()}`);
  });
  return { page, complaints };
}

// The browser logs each refused request. A stranger's first question and a wrong password are refused on purpose.
function isExpected(message) {
  const path = URL.canParse(message.location().url) ? new URL(message.location().url).pathname : '';
  return message.text().includes('status of 401') && ['/api/auth/me', '/api/auth/login'].includes(path);
}
