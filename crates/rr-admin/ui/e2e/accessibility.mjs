// All rules of axe, with layout and colours, as a browser computes them.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const source = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Fails on any violation; `where` names the place in the message. */
export async function assertAccessible(page, where) {
  // Through the debugger, which the page's policy does not bind.
  await page.evaluate(source);
  const violations = await page.evaluate(async () => {
    const result = await window.axe.run(document);
    return result.violations.map((rule) => `${rule.impact} ${rule.id}: ${rule.nodes.map((node) => node.html).join(' ')}`);
  });
  assert.deepEqual(violations, [], `accessibility of ${where}`);
}
