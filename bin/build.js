// Builds dist/: one bundle with the validators of all that ships in it, and V8's code cache of that bundle.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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
  const { validatorsSource } = createRequire(here)(precompile);
  rmSync(precompile);
  await bundleOf('bin/main.ts', bundle, [
    {
      name: 'precompiled validators',
      setup: ({ onLoad }) =>
        onLoad({ filter: /pipeline\/precompiled\.ts$/ }, () => ({
          contents: validatorsSource(root),
          loader: 'js',
          resolveDir: root,
        })),
    },
  ]);
  await buildPlugins();
  // ASCII only, since the launcher reads it as Latin-1, in a third of the time.
  const ascii = readFileSync(bundle, 'utf8').replace(
    /[^\0-\x7f]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  writeFileSync(bundle, ascii);
  // In a process of its own, so that nothing but the command is in the cache.
  execFileSync(process.execPath, [here, '--cache'], { stdio: 'ignore' });
}

/** Every folder in plugins/ with a manifest: loaded as any plugin is, so what is left of it is its manifest and one module. */
async function buildPlugins() {
  const { build } = await import('esbuild');
  for (const name of readdirSync(path.join(root, 'plugins'))) {
    const [from, to] = [path.join(root, 'plugins', name), path.join(root, 'dist/plugins', name)];
    if (!existsSync(path.join(from, 'package.json'))) continue;
    mkdirSync(to, { recursive: true });
    const manifest = JSON.parse(readFileSync(path.join(from, 'package.json'), 'utf8'));
    const built = { ...manifest, joinery: { ...manifest.joinery, main: 'index.js' } };
    writeFileSync(path.join(to, 'package.json'), JSON.stringify(built, null, 2));
    await build({
      entryPoints: [path.join(from, manifest.joinery.main)],
      outfile: path.join(to, 'index.js'),
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'esm',
      logLevel: 'warning',
    });
  }
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
