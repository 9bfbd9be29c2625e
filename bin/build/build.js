// Builds dist/: the bundle, which includes precompiled validators; V8's code cache of the bundle; the test kit for plugins;
// and the plugins that ship. With --types, also the types for authors of plugins, and the licenses of what is bundled.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire, Module } from 'node:module';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';
import { packageFolders, writeNotices } from './notices.js';

const here = fileURLToPath(import.meta.url);
const root = path.dirname(path.dirname(path.dirname(here)));
const bundle = path.join(root, 'dist/join.cjs');
/** Loaded when a command needs a library or a validator that a join does not need. */
const late = path.join(root, 'dist/late.cjs');
/** Loaded by the commands of fleets. */
const fleet = path.join(root, 'dist/fleet.cjs');
const LATE_LIBRARIES = [
  '@dagrejs/dagre',
  '@marcbachmann/cel-js',
  'ajv/dist/2020.js',
  'diff',
  'log-update',
  'minimatch',
  're2js',
  'rfc6902',
  'tinyglobby',
  'undici/lib/api/api-connect.js',
  'undici/lib/api/api-request.js',
  'undici/lib/dispatcher/pool.js',
  'undici/lib/dispatcher/proxy-agent.js',
];
/** What oclif requires at its start, but a command uses for help, for plugins of oclif and for spinners, if at all. */
const LAZY_IN_OCLIF = ['./help', '../help/index', 'cli-spinners', 'ejs', 'minimatch', 'tinyglobby'];
/** Paths of all files that a bundle contains. */
const bundled = new Set();

if (process.argv[2] === '--cache') {
  await makeCache();
} else if (process.argv[2] === '--only-types') {
  types();
} else {
  rmSync(path.join(root, 'dist'), { recursive: true, force: true });
  mkdirSync(path.join(root, 'dist'));
  const precompile = path.join(root, 'dist/precompile.cjs');
  await bundleOf('bin/build/precompile.ts', precompile);
  createRequire(here)('reflect-metadata');
  const { validatorSources } = createRequire(here)(precompile);
  rmSync(precompile);
  const validators = await validatorSources(root);
  validators.main = await withShortNames(validators.main);
  await bundleOf('bin/main.ts', bundle, {
    external: ['./late.cjs', './fleet.cjs'],
    plugins: [lazyInOclif(), loadingFleet(), loadingLate(validators.main), shortNamesInLibraries()],
  });
  await bundleOf('bin/fleet/index.ts', fleet, {
    external: ['./late.cjs'],
    plugins: [loadingLate(validators.fleet), shortNamesInLibraries()],
  });
  await bundleOf(undefined, late, {
    stdin: { contents: lateSource(validators.late), resolveDir: root },
    plugins: [shortNamesInLibraries()],
  });
  for (const file of [bundle, late, fleet]) writeFileSync(file, asAscii(readFileSync(file, 'utf8')));
  await bundlePage();
  await bundleOf('bin/testing.ts', path.join(root, 'dist/testing.cjs'), { supported: {} });
  for (const name of shippedPlugins()) await buildPlugin(name);
  if (process.argv[2] === '--types') {
    types();
    writeNotices(root, packageFolders(bundled));
  }
  // In a process of its own, so that the cache contains only the command.
  execFileSync(process.execPath, [here, '--cache'], { stdio: 'ignore' });
}

/** Replaces what is in dist/late.cjs: its libraries, and those validators. */
function loadingLate(validators) {
  return {
    name: 'loading late',
    setup({ onLoad, onResolve }) {
      const replace = (filter, contents, namespace) =>
        onLoad({ filter, namespace }, () => ({ contents, loader: 'js', resolveDir: root }));
      replace(/documents\/precompiled\.ts$/, validators);
      replace(/documents\/ajv-library\.ts$/, "export const ajvLibrary = () => require('ajv/dist/2020.js').Ajv2020;");
      replace(/documents\/re2-library\.ts$/, "export const re2Library = () => require('re2js').RE2JS;");
      replace(/expressions\/cel-library\.ts$/, "export const celLibrary = () => require('@marcbachmann/cel-js');");
      onResolve({ filter: /^[^.]/ }, ({ path }) =>
        LATE_LIBRARIES.includes(path) ? { path, namespace: 'late' } : undefined,
      );
      onLoad({ filter: /./, namespace: 'late' }, ({ path }) => ({
        contents: `module.exports = require('./late.cjs')[${JSON.stringify(path)}]();`,
      }));
    },
  };
}

/** Replaces what is in dist/fleet.cjs. */
function loadingFleet() {
  return {
    name: 'loading fleet',
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /\/fleet\/index\.ts$/ }, () => ({ path: './fleet.cjs', namespace: 'fleet' }));
      onLoad({ filter: /./, namespace: 'fleet' }, () => ({ contents: "module.exports = require('./fleet.cjs');" }));
    },
  };
}

/**
 * Shortens the names inside libraries and validators, because Node keeps the text of a bundle in memory. The names of
 * Joinery's own functions stay, for the stack traces of bug reports.
 */
async function withShortNames(contents) {
  const { transform } = await import('esbuild');
  const { code } = await transform(contents, { minifyIdentifiers: true, target: 'node20', legalComments: 'none' });
  return code;
}

function shortNamesInLibraries() {
  return {
    name: 'short names in libraries',
    setup({ onLoad }) {
      onLoad({ filter: /\/node_modules\/.*\.[cm]?js$/ }, async ({ path: file }) => ({
        contents: await withShortNames(readFileSync(file, 'utf8')),
      }));
    },
  };
}

/** Evaluates modules of oclif when a property of theirs is read, which saves a tenth of the start of a command. */
function lazyInOclif() {
  return {
    name: 'lazy in oclif',
    setup({ onLoad, onResolve }) {
      onResolve({ filter: /./ }, ({ path: name, importer, namespace, resolveDir }) => {
        if (namespace === 'lazy' || !importer.includes('@oclif/core/lib')) return undefined;
        // Relative, because it gets into the bundle, which is the same in each folder.
        const file = name.startsWith('.') ? `./${path.relative(root, path.join(resolveDir, name))}` : name;
        if (LAZY_IN_OCLIF.includes(name)) return { path: file, namespace: 'lazy' };
        return name === 'semver' ? { path: name, namespace: 'every version' } : undefined;
      });
      onLoad({ filter: /./, namespace: 'lazy' }, ({ path: name }) => {
        const get = `(_, name) => (name === '__esModule' ? undefined : require(${JSON.stringify(name)})[name])`;
        return { contents: `module.exports = new Proxy({}, { get: ${get} });`, resolveDir: root };
      });
      // oclif compares the version of Node with its own need, which is lower than that of Joinery.
      onLoad({ filter: /./, namespace: 'every version' }, () => ({ contents: 'exports.satisfies = () => true;' }));
    },
  };
}

/** A function for each library, because evaluating it takes a while. */
function lateSource(validators) {
  const libraries = LATE_LIBRARIES.map((name) => `${JSON.stringify(name)}: () => require(${JSON.stringify(name)})`);
  return `module.exports = { ${libraries.join(', ')}, validators: () => ${validators} };\n`;
}

/** ASCII only, because the launcher reads it as Latin-1, which takes a third of the time. */
function asAscii(source) {
  return source.replace(/[^\0-\x7f]/g, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

async function bundleOf(entry, outfile, options = {}) {
  const { build } = await import('esbuild');
  const { metafile } = await build({
    entryPoints: entry === undefined ? [] : [path.join(root, entry)],
    outfile,
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    supported: { 'dynamic-import': false }, // a cached script cannot import(), so late imports become require()
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'warning',
    metafile: true,
    ...options,
  });
  for (const { inputs } of Object.values(metafile.outputs))
    for (const [file, { bytesInOutput }] of Object.entries(inputs))
      if (bytesInOutput > 0 && !file.startsWith('lazy:')) bundled.add(file);
}

/** dist/page: the script and the style of the dashboard and of reports. */
async function bundlePage() {
  await bundleOf('bin/fleet/page/main.tsx', path.join(root, 'dist/page/page.js'), {
    platform: 'browser',
    target: 'es2022',
    format: 'iife',
    supported: {},
    tsconfig: path.join(root, 'bin/fleet/page/tsconfig.json'),
    minifyIdentifiers: true,
  });
  await bundleOf('bin/fleet/page/page.css', path.join(root, 'dist/page/page.css'), { target: 'es2022', supported: {} });
}

/** Folders in plugins/ whose package.json contains a manifest. */
function shippedPlugins() {
  return readdirSync(path.join(root, 'plugins')).filter((name) => {
    const file = path.join(root, 'plugins', name, 'package.json');
    return existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).joinery !== undefined;
  });
}

/** Like any plugin: a folder with its manifest, its YAML files, and one module that imports nothing of Joinery. */
async function buildPlugin(name) {
  const [from, to] = [path.join(root, 'plugins', name), path.join(root, 'dist/plugins', name)];
  const manifest = JSON.parse(readFileSync(path.join(from, 'package.json'), 'utf8'));
  const { main = 'index.js', environments = {}, pipelines = {} } = manifest.joinery;
  await bundleOf(path.join('plugins', name, main), path.join(to, 'index.js'), {
    format: 'esm',
    // Readable, because users review plugins.
    minifyWhitespace: false,
    minifySyntax: false,
  });
  for (const file of [...Object.values(environments), ...Object.values(pipelines)]) {
    mkdirSync(path.dirname(path.join(to, file)), { recursive: true });
    copyFileSync(path.join(from, file), path.join(to, file));
  }
  const built = { ...manifest, joinery: { ...manifest.joinery, main: 'index.js' } };
  writeFileSync(path.join(to, 'package.json'), JSON.stringify(built, null, 2));
}

/** The types of `@joinery/cli/sdk` and `/testing`. */
function types() {
  const tsc = path.join(root, 'node_modules/.bin/tsc');
  execFileSync(tsc, ['-p', 'tsconfig.types.json'], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
}

/** The cache contains only functions that have run, so this runs a join, and a command that lists all commands. */
async function makeCache() {
  const script = new vm.Script(Module.wrap(readFileSync(bundle, 'latin1')), { filename: bundle });
  const loaded = new Module(bundle);
  Module._cache[bundle] = loaded;
  script.runInThisContext()(loaded.exports, createRequire(bundle), loaded, bundle, path.dirname(bundle));
  loaded.loaded = true;
  // The cluster is in a process of its own, because a join does not need the functions of the sandbox.
  const sandbox = spawn(process.execPath, [path.join(root, 'bin/join.cjs'), 'sandbox', 'up'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: sandbox.stdout })) {
    const words = /^ {2}.* run (.*) --dry-run$/.exec(line)?.[1]?.split(' ');
    if (words === undefined) continue;
    await loaded.exports.main(root, ['run', ...words]);
    await loaded.exports.main(root, ['runs', ...words.slice(-2)]);
    break;
  }
  sandbox.kill();
  await once(sandbox, 'exit');
  writeFileSync(`${bundle}.cache`, script.createCachedData());
}
