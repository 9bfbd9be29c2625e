// Sets up a fresh clone: installs dependencies and builds, each only if something has changed.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const at = (name) => path.join(root, name);
const changedMs = (name) => (existsSync(at(name)) ? statSync(at(name)).mtimeMs : 0);
const newestMs = (name) =>
  statSync(at(name)).isDirectory()
    ? Math.max(0, ...readdirSync(at(name)).map((entry) => newestMs(path.join(name, entry))))
    : changedMs(name);

if (changedMs('node_modules/.package-lock.json') < changedMs('package-lock.json')) {
  console.error('installing dependencies …');
  execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}
const sources = ['bin', 'engine', 'phases', 'pipelines', 'plugins', 'schemas', 'package.json'];
if (changedMs('dist/join.cjs.cache') < Math.max(...sources.map(newestMs))) {
  console.error('building …');
  execFileSync(process.execPath, [at('bin/build/build.js')], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
}
