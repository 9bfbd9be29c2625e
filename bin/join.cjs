#!/usr/bin/env node
// The command. Runs the bundle in dist/ from V8's code cache, which halves the start-up time if it fits this Node.
const {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  writeSync,
} = require('node:fs');
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
// Commands that change a machine continue if their terminal is closed, also while the bundle is still loading.
if (['phase', 'reset', 'resume', 'run', 'undo'].includes(process.argv[2])) process.on('SIGHUP', () => undefined);
if (process.env.NODE_OPTIONS?.includes('--inspect')) require('node:inspector').close();
// The command line may contain a token: hide it from ps, and from oclif's debug output.
process.title = 'join';
delete process.env.DEBUG;
const isExecutable = __filename === process.execPath;
// Node would print that it considers functions used here experimental.
if (isExecutable) process.removeAllListeners('warning');
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
  const { folder, read, files } = isExecutable ? insideExecutable() : inPackage();
  const requireBuiltin = Module.createRequire(path.join(folder, 'join.cjs'));
  const loaded = new Map();
  const load = (name) => {
    if (!loaded.has(name)) loaded.set(name, evaluated(path.join(folder, name), read(name), requireOf));
    return loaded.get(name);
  };
  const requireOf = (id) => (id.startsWith('./') ? load(id.slice(2)) : requireBuiltin(id));
  const { main } = load('join.cjs');
  if (['run', 'resume'].includes(process.argv[2])) keepYoungGenerationSmall();
  main(files, process.argv.slice(2), importer());
}

/**
 * V8 doubles the space for new objects when many of them survive, and most objects of a join do. It ends before a
 * larger space pays off, so it keeps the current one, which lowers its peak memory by 4 MB. V8 rejects its code caches
 * when a flag has changed, so that comes after the last large module that a join loads: node:http2.
 */
function keepYoungGenerationSmall() {
  require('node:http2');
  require('node:v8').setFlagsFromString('--semi-space-growth-factor=1');
}

/** The exports of a file of dist/. */
function evaluated(filename, { source, cache }, requireOf) {
  const script = new vm.Script(Module.wrap(source), {
    filename,
    cachedData: cache,
    importModuleDynamically: vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  if (cache?.buffer.resizable) cache.buffer.resize(0);
  const module = new Module(filename);
  script.runInThisContext()(module.exports, requireOf, module, filename, path.dirname(filename));
  return module.exports;
}

/** The folder of the package. */
function root() {
  return path.dirname(path.dirname(realpathSync(__filename)));
}

/** Bundles are ASCII; reading them as UTF-8 would take three times as long. */
function inPackage() {
  const folder = path.join(root(), 'dist');
  if (!existsSync(path.join(folder, 'join.cjs'))) {
    console.error('join is not built yet; in the checkout, run: npm run setup');
    process.exit(1);
  }
  const read = (name) => {
    const source = bytesOf(path.join(folder, name));
    const cache = path.join(folder, `${name}.cache`);
    const text = source.latin1Slice();
    source.buffer.resize(0);
    return { source: text, cache: existsSync(cache) ? bytesOf(cache) : undefined };
  };
  return { folder, read, files: root() };
}

/** In memory that can be freed at once, because garbage is collected too late to lower the peak of a run. */
function bytesOf(file) {
  const descriptor = openSync(file);
  const { size } = fstatSync(descriptor);
  const bytes = Buffer.from(new ArrayBuffer(size, { maxByteLength: size }));
  readSync(descriptor, bytes);
  closeSync(descriptor);
  return bytes;
}

/** In the executable this file is the main script, and everything else is an asset. */
function insideExecutable() {
  const { getAsset, getRawAsset } = require('node:sea');
  const paths = JSON.parse(getAsset('paths.json', 'utf8'));
  const read = (name) => ({
    source: Buffer.from(getRawAsset(`dist/${name}`)).latin1Slice(),
    cache: name === 'join.cjs' ? Buffer.from(getRawAsset(`dist/${name}.cache`)) : undefined,
  });
  return { folder: path.dirname(process.execPath), read, files: { paths, read: getRawAsset } };
}

/** The main script of an executable cannot import files itself. */
function importer() {
  if (!isExecutable) return (url) => import(url);
  const importModuleDynamically = vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER;
  return new vm.Script('(url) => import(url)', { importModuleDynamically }).runInThisContext();
}
