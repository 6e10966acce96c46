import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

import { compress } from './scripts/compress.mjs';

const server = process.env.RR_SERVER ?? 'http://127.0.0.1:5000';

export default defineConfig({
  base: '/admin/',
  plugins: [react(), compress()],
  // The server replaces this text by a fresh nonce in each response (crates/rr-admin/src/page.rs).
  html: { cspNonce: '__CSP_NONCE__' },
  build: {
    target: 'es2022',
    // The policy has no room for inlined scripts, and a preload shim would be one more file to trust.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
  server: {
    proxy: { '/api': server, '/readyz': server },
  },
  test: {
    environment: 'jsdom',
    include: ['src/**/*.test.{ts,tsx}'],
    setupFiles: ['src/testing/setup.ts'],
    // Generous, because a busy machine is not a defect.
    testTimeout: 60_000,
    css: { modules: { classNameStrategy: 'non-scoped' } },
  },
});
