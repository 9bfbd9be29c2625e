// Builds dist/: one bundle with the validators and pipelines that ship, read already, and V8's code cache of that bundle.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire, Module } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';

const here = fileURLToPath(import.meta.url);
const root = path.dirname(path.dirname(here));
const bundle = path.join(root, 'dist/join.cjs');

if (process.argv[2] === '--cache') {
  await makeCache();
} else {
  rmSync(path.join(root, 'dist'), { recursive: true, force: true });
  mkdirSync(path.join(root, 'dist'));
  const precompile = path.join(root, 'dist/precompile.cjs');
  await bundleOf('bin/precompile.ts', precompile);
  createRequire(here)('reflect-metadata');
  const { precompiledSource } = createRequire(here)(precompile);
  rmSync(precompile);
  await bundleOf('bin/main.ts', bundle, [
    {
      name: 'what is precompiled',
      setup: ({ onLoad }) =>
        onLoad({ filter: /pipeline\/precompiled\.ts$/ }, () => ({
          contents: precompiledSource(root),
          loader: 'js',
          resolveDir: root,
        })),
    },
    {
      name: 'libraries of expressions, loaded late',
      setup: ({ onLoad }) =>
        onLoad({ filter: /pipeline\/cel-library\.ts$/ }, () => ({
          contents:
            "export const celLibrary = () => require('@marcbachmann/cel-js'); export const re2Library = () => require('re2js').RE2JS;",
          loader: 'js',
          resolveDir: root,
        })),
    },
  ]);
  // ASCII only, since the launcher reads it as Latin-1, in a third of the time.
  const ascii = readFileSync(bundle, 'utf8').replace(
    /[^\0-\x7f]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  writeFileSync(bundle, ascii);
  // In a process of its own, so that nothing but the command is in the cache.
  execFileSync(process.execPath, [here, '--cache'], { stdio: 'ignore' });
}

async function bundleOf(entry, outfile, plugins = []) {
  const { build } = await import('esbuild');
  await build({
    entryPoints: [path.join(root, entry)],
    outfile,
    plugins,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    supported: { 'dynamic-import': false }, // a cached script cannot import; what is loaded late is required
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'warning',
  });
}

/** Functions that have run are in the cache, the others are compiled when they are first called: so one join is run. */
async function makeCache() {
  const script = new vm.Script(Module.wrap(readFileSync(bundle, 'latin1')), { filename: bundle });
  const loaded = new Module(bundle);
  Module._cache[bundle] = loaded;
  script.runInThisContext()(loaded.exports, createRequire(bundle), loaded, bundle, path.dirname(bundle));
  loaded.loaded = true;
  await loaded.exports.main(root, ['sandbox', 'demo']);
  writeFileSync(`${bundle}.cache`, script.createCachedData());
}
