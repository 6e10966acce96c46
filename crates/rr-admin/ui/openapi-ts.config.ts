import { defineConfig } from '@hey-api/openapi-ts';

// `npm run client` writes src/client from openapi.json, which `revenue-ripple openapi` prints.
export default defineConfig({
  input: './openapi.json',
  output: { path: './src/client', clean: true },
  plugins: ['@hey-api/client-fetch', '@hey-api/typescript', '@hey-api/sdk'],
  parser: {
    patch: {
      // Names come from method and path, which are promises; operation ids are the server's own business.
      operations: (_method, _path, operation) => {
        delete operation.operationId;
      },
    },
  },
});
