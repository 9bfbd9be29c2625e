/**
 * Finds what the code of a plugin does without ports, as far as the source shows it. The findings help a reviewer. They
 * prove nothing.
 */
import { readFile, stat } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import { join, posix } from 'node:path';
import type { InspectedPlugin } from './inspect.ts';
import { isCovered } from './integrity.ts';

export interface Finding {
  file: string;
  line: number;
  what: string;
}

/** Modules of Node that have no effect outside the process. */
const HARMLESS = new Set([
  ...['assert', 'assert/strict', 'buffer', 'crypto', 'events', 'path', 'path/posix', 'querystring', 'string_decoder'],
  ...['url', 'util', 'util/types'],
]);
const BUILT_IN = new Set(builtinModules);

const IMPORT = /\b(?:from|import|require)\s*\(?\s*(['"`])([^'"`\s(){};]+)\1/g;
const SUSPECT: readonly (readonly [RegExp, string])[] = [
  [/\bprocess\s*(?:\.|\?\.)\s*(\w+)|\bprocess\s*\[/g, 'uses process'],
  [/\beval\s*\(|\bnew\s+Function\b|\bFunction\s*\(/g, 'runs code from a string'],
  [/\b(?:import|require)\s*\(\s*(?!['"`])/g, 'imports a module with a computed name'],
  [/\bimport\s*\(\s*`[^`]*\$\{/g, 'imports a module with a computed name'],
  [/\bcreateRequire\b|\bgetBuiltinModule\b/g, 'may load modules of Node indirectly'],
  [/\bglobalThis\s*\[|\bglobal\s*\[/g, 'reads a global with a computed name'],
  [/\bfetch\s*\(|\bnew\s+(?:WebSocket|EventSource)\b/g, 'uses the network without a port'],
  [/\bWebAssembly\b/g, 'runs WebAssembly'],
  [
    /\b__proto__\b|\bsetPrototypeOf\b|\b(?:Object|Array|Promise|Function|String)\.prototype\b/g,
    'may change the prototype of all objects',
  ],
  [/\bconstructor\s*\.\s*constructor\b|\.constructor\s*\(/g, 'may run code from a string'],
];
const FILE_BYTES_MAX = 4 << 20;

/** Findings in the entry module, and in all modules that it imports by path or from its dependencies. */
export async function findingsOf({ folder, manifest }: InspectedPlugin): Promise<Finding[]> {
  const findings: Finding[] = [];
  const seen = new Set<string>();
  const pending = [manifest.main];
  for (let file = pending.pop(); file !== undefined; file = pending.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    const text = await textOf(join(folder, file));
    if (text === undefined) {
      findings.push({ file, line: 1, what: 'cannot be read: it does not exist, is too large, or is not JavaScript' });
      continue;
    }
    const code = withoutComments(text);
    const told = (index: number, what: string) => findings.push({ file, line: lineAt(code, index), what });
    for (const { index, 2: name = '' } of code.matchAll(IMPORT)) {
      const what = aboutImport(name, manifest.dependencies);
      if (what !== undefined) told(index, what);
      if (!name.startsWith('.')) continue;
      const path = posix.join(posix.dirname(file), name);
      if (isCovered(path)) pending.push(await moduleAt(folder, path));
      else told(index, `imports ${name}, which its digest does not cover`);
    }
    for (const [pattern, what] of SUSPECT)
      for (const { index, 0: found } of code.matchAll(pattern)) told(index, `${what}: ${found.trim()}`);
  }
  for (const name of manifest.dependencies)
    findings.push({
      file: 'package.json',
      line: 1,
      what: `depends on ${name}, whose code was not checked: read it, too`,
    });
  return findings.sort((a, b) => Number(a.file > b.file) - Number(a.file < b.file) || a.line - b.line);
}

function aboutImport(name: string, dependencies: readonly string[]): string | undefined {
  const bare = name.replace(/^node:/, '');
  if (name.startsWith('node:') || BUILT_IN.has(bare))
    return HARMLESS.has(bare) ? undefined : `imports ${name}, which bypasses the ports`;
  if (name === '@joinery/cli/sdk') return undefined; // types only, which never run
  if (name === '@joinery/cli' || name.startsWith('@joinery/cli/'))
    return `imports ${name}: a plugin gets the SDK as an argument, and a standalone binary has nothing to import`;
  if (name.startsWith('.')) return undefined;
  if (name.startsWith('/') || name.includes(':')) return `imports ${name}, from outside its folder`;
  const parts = name.split('/');
  const wanted = name.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? '');
  return dependencies.includes(wanted) ? undefined : `imports ${wanted}, which is not among its dependencies`;
}

async function textOf(path: string): Promise<string | undefined> {
  const stats = await stat(path).catch(() => undefined);
  if (stats?.isFile() !== true || stats.size > FILE_BYTES_MAX || /\.(node|wasm)$/.test(path)) return undefined;
  return readFile(path, 'utf8');
}

/** A CommonJS module may omit the extension. */
async function moduleAt(folder: string, path: string): Promise<string> {
  for (const end of ['', '.js', '.cjs', '.json', '/index.js']) {
    const stats = await stat(join(folder, path + end)).catch(() => undefined);
    if (stats?.isFile()) return path + end;
  }
  return path;
}

/** Removes comments that begin a line. The lines stay, so that positions stay valid. */
const withoutComments = (text: string): string =>
  text.replace(/^[ \t]*(?:\/\*[\s\S]*?\*\/|\/\/[^\n]*)/gm, (comment) => comment.replace(/[^\n]/g, ' '));

const lineAt = (text: string, index: number): number => text.slice(0, index).split('\n').length;
