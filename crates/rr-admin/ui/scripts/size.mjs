// Prints what a browser downloads and fails when it is more than the budget.
import { readdir, stat } from 'node:fs/promises';

const BUDGET = { js: 200 * 1024, css: 40 * 1024 };
const folder = new URL('../dist/assets/', import.meta.url);

const total = { js: 0, css: 0 };
for (const name of (await readdir(folder)).toSorted()) {
  const kind = /\.(js|css)\.gz$/.exec(name)?.[1];
  if (!kind) continue;
  const { size } = await stat(new URL(name, folder));
  total[kind] += size;
  console.log(`${name.padEnd(36)} ${kilobytes(size)} gzip`);
}
for (const [kind, budget] of Object.entries(BUDGET)) {
  const fits = total[kind] > 0 && total[kind] <= budget;
  console.log(`${`all ${kind}`.padEnd(36)} ${kilobytes(total[kind])} of ${kilobytes(budget)}${fits ? '' : '  OVER BUDGET'}`);
  if (!fits) process.exitCode = 1;
}

function kilobytes(bytes) {
  return `${(bytes / 1024).toFixed(1).padStart(6)} KB`;
}
