import { describe, expect, test } from 'vitest';
import { findingsOf } from '../../../engine/plugins/findings.ts';
import { inspectPlugin } from '../../../engine/plugins/inspect.ts';
import { type PluginSource, pluginFolder, VERSION } from './folder.ts';

const found = async (source: PluginSource) =>
  (await findingsOf(await inspectPlugin(await pluginFolder(source), VERSION))).map(
    ({ file, line, what }) => `${file}:${line}: ${what}`,
  );

describe('reading the code of a plugin', () => {
  test.each<[string, string]>([
    ["import { readFile } from 'node:fs/promises';", 'imports node:fs/promises, which bypasses the ports'],
    ["import fs from 'fs';", 'imports fs, which bypasses the ports'],
    ["import { spawn } from\n'node:child_process';", 'imports node:child_process, which bypasses the ports'],
    ["await import('node:net');", 'imports node:net, which bypasses the ports'],
    ["const vm = require('vm');", 'imports vm, which bypasses the ports'],
    ["process.getBuiltinModule('fs');", 'uses process: process.getBuiltinModule'],
    ['process.env.HOME;', 'uses process: process.env'],
    ["process['ex' + 'it']();", 'uses process: process['],
    ["eval('1');", 'runs code from a string: eval('],
    ["new Function('return 1')();", 'runs code from a string: new Function'],
    ["(() => {}).constructor('return process')();", 'may run code from a string: .constructor('],
    ['await import(name);', 'imports a module with a computed name: import('],
    [`await import(\`./\${name}.js\`);`, `imports a module with a computed name: import(\`./\${`],
    ["globalThis['pro' + 'cess'];", 'reads a global with a computed name: globalThis['],
    ["fetch('https://evil.test');", 'uses the network without a port: fetch('],
    ['new WebSocket(url);', 'uses the network without a port: new WebSocket'],
    ['WebAssembly.compile(bytes);', 'runs WebAssembly: WebAssembly'],
    ['Object.prototype.polluted = 1;', 'may change the prototype of all objects: Object.prototype'],
    [
      "import { sdk } from '@joinery/cli/testing';",
      'imports @joinery/cli/testing: a plugin gets the SDK as an argument, and a standalone binary has nothing to import',
    ],
    ["import left from 'left-pad';", 'imports left-pad, which is not among its dependencies'],
    ["import x from '/opt/x.js';", 'imports /opt/x.js, from outside its folder'],
    ["import x from 'data:text/javascript,1';", 'imports data:text/javascript,1, from outside its folder'],
  ])("the inspection of a plugin's code finds %s", async (line, what) => {
    const module = `/** Nothing. */\n${line}\nexport default (sdk) => sdk.definePlugin({ phases: [] });\n`;
    expect(await found({ module })).toContain(`index.js:2: ${what}`);
  });

  test('the inspection finds nothing in code that only uses its ports, and ignores comments', async () => {
    expect(await found({})).toEqual([]);
    const harmless =
      "// import 'node:fs';\n/** eval('x') */\nimport { posix } from 'node:path';\nimport { createHash } from 'node:crypto';\n";
    const types = "/** @type {import('@joinery/cli/sdk').PluginFactory} */\n";
    expect(await found({ module: `${harmless}${types}export default () => [posix, createHash];\n` })).toEqual([]);
  });

  test('the inspection follows imports within the plugin, and no others', async () => {
    const files = {
      'lib/a.js': "import '../b.cjs';\nimport 'node:fs';",
      'b.cjs': "require('./c');",
      'c.js': 'process.exit(1);',
      'test/x.js': "import 'node:fs';",
    };
    expect(await found({ module: "import './lib/a.js';\nimport './gone.js';\nexport default 1;", files })).toEqual([
      'c.js:1: uses process: process.exit',
      'gone.js:1: cannot be read: it does not exist, is too large, or is not JavaScript',
      'lib/a.js:2: imports node:fs, which bypasses the ports',
    ]);
  });

  test('the inspection names the dependencies, which it does not read', async () => {
    const files = { 'node_modules/left/package.json': '{}' };
    expect(await found({ manifest: { dependencies: { left: '1' } }, files, module: "import 'left/x';" })).toEqual([
      'package.json:1: depends on left, whose code was not checked: read it, too',
    ]);
  });
});
