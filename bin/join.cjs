#!/usr/bin/env node
// The command. Runs the bundle in dist/ from V8's code cache, which halves the start-up time if it fits this Node.
const { existsSync, readFileSync, realpathSync, writeSync } = require('node:fs');
const { Module } = require('node:module');
const path = require('node:path');
const vm = require('node:vm');

const [major = 0] = process.versions.node.split('.').map(Number);
if (major < 20) {
  console.error(`join needs Node 20 or newer; this is ${process.version}`);
  process.exit(1);
}
// Node opens its debugger on SIGUSR1, and for --inspect. Every local user could then run code in this process, as root.
process.on('SIGUSR1', () => undefined);
if (process.env.NODE_OPTIONS?.includes('--inspect')) require('node:inspector').close();
// The command line may contain a token: hide it from ps, and from oclif's debug output.
process.title = 'join';
delete process.env.DEBUG;
const isExecutable = __filename === process.execPath;
if (isExecutable) process.removeAllListeners('warning'); // Node would print that it considers functions used here experimental
if (!hasPrintedVersion()) start();

/** Answered without the bundle, which takes several times as long. If the write fails, the bundle reports it. */
function hasPrintedVersion() {
  if (!['version', '--version'].includes(process.argv[2])) return false;
  const { name, version } = JSON.parse(
    isExecutable
      ? require('node:sea').getAsset('package.json', 'utf8')
      : readFileSync(path.join(root(), 'package.json')),
  );
  try {
    writeSync(1, `${name}/${version} ${process.platform}-${process.arch} node-${process.version}\n`);
    return true;
  } catch {
    return false;
  }
}

function start() {
  const { bundle, source, cache, files } = isExecutable ? insideExecutable() : inPackage();
  const script = new vm.Script(Module.wrap(source), {
    filename: bundle,
    cachedData: cache,
    importModuleDynamically: vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  const loaded = new Module(bundle);
  loaded.filename = bundle;
  script.runInThisContext()(loaded.exports, Module.createRequire(bundle), loaded, bundle, path.dirname(bundle));
  loaded.loaded = true;
  loaded.exports.main(files, process.argv.slice(2), importer());
}

/** The folder of the package. */
function root() {
  return path.dirname(path.dirname(realpathSync(__filename)));
}

/** The bundle is ASCII; reading it as UTF-8 would take three times as long. */
function inPackage() {
  const folder = root();
  const bundle = path.join(folder, 'dist/join.cjs');
  if (!existsSync(bundle)) {
    console.error('join is not built yet; in the checkout, run: npm run setup');
    process.exit(1);
  }
  const cache = `${bundle}.cache`;
  return {
    bundle,
    source: readFileSync(bundle, 'latin1'),
    cache: existsSync(cache) ? readFileSync(cache) : undefined,
    files: folder,
  };
}

/** In the executable this file is the main script, and everything else is an asset. */
function insideExecutable() {
  const { getAsset, getRawAsset } = require('node:sea');
  return {
    bundle: path.join(path.dirname(process.execPath), 'join.cjs'),
    source: Buffer.from(getRawAsset('dist/join.cjs')).latin1Slice(),
    cache: Buffer.from(getRawAsset('dist/join.cjs.cache')),
    files: { paths: JSON.parse(getAsset('paths.json', 'utf8')), read: getRawAsset },
  };
}

/** The main script of an executable cannot import files itself. */
function importer() {
  if (!isExecutable) return (url) => import(url);
  const importModuleDynamically = vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER;
  return new vm.Script('(url) => import(url)', { importModuleDynamically }).runInThisContext();
}
