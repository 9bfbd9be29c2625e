/** The benchmarks of the engine, built as the command is. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { PROJECT } from '../helpers/sources.ts';

/** tsx names each function again whenever it is created, which takes a sixth of the time of a step. */
export async function builtEngine(): Promise<typeof import('./engine.ts')> {
  const outfile = join(PROJECT, 'dist/bench-engine.mjs');
  await build({
    entryPoints: [join(PROJECT, 'test/bench/engine.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'warning',
  });
  return import(pathToFileURL(outfile).href);
}
