// Writes V8's code cache of a bundle. It contains all functions, because which ones a run compiles differs from run to
// run, and two builds must be equal. `--predictable` has the same purpose. Arguments: the bundle, the cache.
const { readFileSync, writeFileSync } = require('node:fs');
const { Module } = require('node:module');
const v8 = require('node:v8');
const vm = require('node:vm');

const [, , bundle, cache] = process.argv;
v8.setFlagsFromString('--no-lazy');
const script = new vm.Script(Module.wrap(readFileSync(bundle, 'latin1')), { filename: bundle });
v8.setFlagsFromString('--lazy'); // the cache is valid only for a process with the same flags
writeFileSync(cache, script.createCachedData());
