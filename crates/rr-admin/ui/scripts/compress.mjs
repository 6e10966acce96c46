// A Vite plugin that writes .br and .gz beside each text asset, so that the server never compresses per request.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const TEXT = /\.(js|css|svg)$/;

/** @returns {import('vite').Plugin} */
export function compress() {
  return {
    name: 'compress',
    apply: 'build',
    async writeBundle(options, bundle) {
      const names = Object.keys(bundle).filter((name) => TEXT.test(name));
      await Promise.all(
        names.map(async (name) => {
          const path = join(options.dir ?? 'dist', name);
          const plain = await readFile(path);
          const quality = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
          await writeFile(`${path}.br`, brotliCompressSync(plain, { params: quality }));
          await writeFile(`${path}.gz`, gzipSync(plain, { level: 9 }));
        }),
      );
    },
  };
}
