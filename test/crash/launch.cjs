// Runs a bundle from V8's code cache, as the command is run; the first process of it that comes to its end makes the cache.
const { existsSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
const { createRequire, Module } = require('node:module');
const path = require('node:path');
const vm = require('node:vm');

/** @param {string} bundle */
module.exports = (bundle) => {
  const cache = `${bundle}.cache`;
  const isCached = existsSync(cache);
  const script = new vm.Script(Module.wrap(readFileSync(bundle, 'utf8')), {
    filename: bundle,
    cachedData: isCached ? readFileSync(cache) : undefined,
  });
  const loaded = new Module(bundle);
  script.runInThisContext()(loaded.exports, createRequire(bundle), loaded, bundle, path.dirname(bundle));
  if (isCached) return;
  process.once('exit', () => {
    writeFileSync(`${cache}.${process.pid}`, script.createCachedData());
    renameSync(`${cache}.${process.pid}`, cache);
  });
};
