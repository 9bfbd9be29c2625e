// Builds dist/: one bundle, and V8's code cache of it, made by a process that has used most of its functions.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Module } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';

const here = fileURLToPath(import.meta.url);
const root = path.dirname(path.dirname(here));
const bundle = path.join(root, 'dist/join.cjs');

if (process.argv[2] === '--cache') {
  const script = new vm.Script(Module.wrap(readFileSync(bundle, 'utf8')), { filename: bundle });
  const loaded = new Module(bundle);
  Module._cache[bundle] = loaded;
  script.runInThisContext()(loaded.exports, Module.createRequire(bundle), loaded, bundle, path.dirname(bundle));
  loaded.loaded = true;
  // Functions that ran are in the cache, the others are compiled when they are first called.
  loaded.exports.main(root, ['run', 'localhost:0']).finally(() => {
    writeFileSync(`${bundle}.cache`, script.createCachedData());
    process.exitCode = 0; // the command itself was refused, and was meant to be
  });
} else {
  rmSync(path.join(root, 'dist'), { recursive: true, force: true });
  mkdirSync(path.join(root, 'dist'));
  const { buildSync } = await import('esbuild');
  buildSync({
    entryPoints: [path.join(root, 'bin/main.ts')],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'warning',
  });
  execFileSync(process.execPath, [here, '--cache'], { stdio: 'ignore' });
}
