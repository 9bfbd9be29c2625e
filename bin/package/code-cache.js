// Writes V8's code cache of a bundle, for an executable. Two builds must be equal, so the cache contains the functions
// that run before the command first waits for anything: afterwards, which functions are compiled depends on timing. All
// functions would be too many: each costs memory in every process. No path of this machine may get into the cache.
// Runs in the folder of the package. Argument: the cache.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire, Module } from 'node:module';
import path from 'node:path';
import vm from 'node:vm';

const [, , cache] = process.argv;
const bundle = 'dist/join.cjs';
const script = new vm.Script(Module.wrap(readFileSync(bundle, 'latin1')), { filename: bundle });
const loaded = new Module(bundle);
const requireBuiltin = createRequire(path.resolve(bundle));
script.runInThisContext()(loaded.exports, requireBuiltin, loaded, bundle, path.dirname(bundle));
void loaded.exports.main('.', ['run', '--help']); // up to its first await
writeFileSync(cache, script.createCachedData());
process.exit(0);
