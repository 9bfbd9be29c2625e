import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { registry } from './helpers/app.ts';
import { brokenBy, inside, rules, source } from './helpers/import-rules.ts';
import { booleanParameters, cyclesOf, fileFunctions, libraryMessages, longerThan } from './helpers/source-rules.ts';
import { importsOf, lineCount, PROJECT, type Source, sourcesBelow } from './helpers/sources.ts';

/** Imports that still run upwards. This list may only shrink. */
const DEBTS = new Set<string>([]);

/** Cycles of files that still exist. This list may only shrink. */
const KNOWN_CYCLES: string[][] = [];

/** Files that are still too long. This list may only shrink. */
const KNOWN_LONG_FILES = new Set(['test/wrong-input/configuration.ts']);

const LINES_MAX = 300;
const LINES_MEDIAN_MAX = 120;
const EMPTY_WORDS = ['utils', 'common', 'helpers'];

const medianLines = (files: readonly Source[]): number =>
  files.map(lineCount).sort((a, b) => a - b)[Math.floor(files.length / 2)] ?? 0;
const namedEmptily = (files: readonly Source[]): string[] =>
  files
    .map(({ path }) => path)
    .filter((path) => path.split('/').some((part) => EMPTY_WORDS.includes(part.replace(/\.ts$/, ''))));

const files = sourcesBelow('bin', 'engine', 'phases', 'plugins');
const tests = sourcesBelow('test');
const shipped = files.filter(({ path }) => !path.endsWith('.d.ts'));

describe('who may import whom', () => {
  test.each(rules)('imports follow the rule: $rule', (rule) => {
    const broken = brokenBy(rule, files).filter((text) => !DEBTS.has(text.slice(0, text.indexOf(':'))));
    expect(broken).toEqual([]);
  });
  test.each(rules)('the rule finds a source that breaks it: $rule', (rule) => {
    expect(brokenBy(rule, [rule.offender, rule.innocent])).toEqual([
      `${rule.offender.path} imports ${importsOf(rule.offender)[0]}: ${rule.rule}`,
    ]);
  });
  test.each([
    'node:fs',
    'node:path',
    'node:child_process',
    'undici',
    'tsyringe',
    'xstate',
    '../preflight/checks.ts',
    '../../bin/compose.ts',
    '../../engine/host/host.ts',
    '../../engine/run.ts',
  ])('a phase that imports %s is found', (target) => {
    const [rule] = rules;
    if (rule === undefined) throw new Error('no rules');
    expect(brokenBy(rule, [source('phases/made-up/index.ts', `import x from '${target}';`)])).toHaveLength(1);
  });
  test('every form of import is found, and comments are ignored', () => {
    const text = [
      "import 'a';",
      "import b from 'b';",
      "import type { C } from 'c';",
      "import {\n  d,\n  type D,\n} from 'd';",
      "export * from 'e';",
      "export type { F } from 'f';",
      "const g = await import('g');",
      "type H = typeof import('h');",
      "const i = require('i');",
      "// import j from 'j';",
      "/** import k from 'k'; */",
      "import * as l from './l.ts';",
    ].join('\n');
    expect(importsOf(source('bin/made-up.ts', text)).sort()).toEqual([
      'a',
      'b',
      'bin/l.ts',
      'c',
      'd',
      'e',
      'f',
      'g',
      'h',
      'i',
    ]);
  });
  test('sources and their imports are found in every folder', () => {
    for (const folder of ['bin', 'engine', 'phases', 'plugins'])
      expect(files.filter(({ path }) => inside(path, folder)).length).toBeGreaterThan(5);
    const run = files.find(({ path }) => path === 'engine/run/run.ts');
    expect(run && importsOf(run)).toEqual(
      expect.arrayContaining(['xstate', 'engine/run/frontier.ts', 'engine/run/step-executor.ts']),
    );
  });
});

describe('cycles of files', () => {
  test('no files import each other, not even for a type', () => {
    expect(cyclesOf(files)).toEqual(KNOWN_CYCLES);
  });
  test('a cycle of three files is found, and a file outside it is not', () => {
    const sources = [
      source('engine/run/a.ts', "import { b } from './b.ts';"),
      source('engine/run/b.ts', "import type { C } from '../host/c.ts';"),
      source('engine/host/c.ts', "export { a } from '../run/a.ts';"),
      source('engine/run/d.ts', "import { a } from './a.ts';"),
    ];
    expect(cyclesOf(sources)).toEqual([['engine/host/c.ts', 'engine/run/a.ts', 'engine/run/b.ts']]);
  });
});

test('every import that is listed as running upwards still exists', () => {
  const all = files.flatMap((file) => importsOf(file).map((target) => `${file.path} imports ${target}`));
  expect([...DEBTS].filter((debt) => !all.includes(debt))).toEqual([]);
});

/** The functions of node:fs that engine/host uses, and what with. A path of the machine is never one of it. */
const FILE_FUNCTIONS: Record<string, string[]> = {
  // Opens one directory in the other.
  'engine/host/descend.ts': [
    'closeSync',
    'constants',
    'fstatSync',
    'lstatSync',
    'openSync',
    'readFileSync',
    'readlinkSync',
  ],
  // Names in open directories: what they get is a `Place`.
  'engine/host/disk.ts': ['constants'],
  'engine/host/file-calls.ts': ['*'],
  'engine/host/files.ts': ['constants', 'watch', 'writeSync'],
  'engine/host/lock.ts': ['chmod', 'constants', 'lstat', 'mkdir', 'open', 'rmdir', 'unlink'],
  // A program on PATH; the root itself; files of /proc.
  'engine/host/commands.ts': ['accessSync', 'constants'],
  'engine/host/real.ts': ['stat'],
  'engine/host/mounts.ts': ['createReadStream', 'realpath'],
  // Files of the caller, such as pipelines.
  'engine/host/trusted.ts': ['closeSync', 'fstatSync', 'lstatSync', 'readlinkSync'],
};

describe('files of a machine', () => {
  const used = (sources: readonly Source[]) =>
    Object.fromEntries(
      sources
        .filter(({ path }) => inside(path, 'engine/host'))
        .map((file) => [file.path, fileFunctions(file).sort()] as const)
        .filter(([, names]) => names.length > 0),
    );
  test('the host reaches files only in open directories: no other file of it uses node:fs', () => {
    expect(used(files)).toEqual(FILE_FUNCTIONS);
  });
  test('a file that uses node:fs is found, and types are not', () => {
    const sources = [
      source('engine/host/a.ts', "import { constants, readFileSync, type Stats } from 'node:fs';"),
      source('engine/host/b.ts', "import * as fs from 'node:fs/promises';"),
      source('engine/host/c.ts', "import type { Stats } from 'node:fs';\nimport type * as fs from 'node:fs/promises';"),
    ];
    expect(used(sources)).toEqual({ 'engine/host/a.ts': ['constants', 'readFileSync'], 'engine/host/b.ts': ['*'] });
  });
});

describe('names and sizes', () => {
  test('no folder or file is named utils, common or helpers', () => {
    expect(namedEmptily(files)).toEqual([]);
    const names = ['engine/utils/x.ts', 'phases/p/helpers.ts', 'bin/common.ts', 'engine/commonality.ts'];
    expect(namedEmptily(names.map((path) => source(path, '')))).toEqual(names.slice(0, 3));
  });
  test('no file has more than 300 lines', () => {
    const tooLong = longerThan([...shipped, ...tests], LINES_MAX);
    expect(tooLong.filter((path) => !KNOWN_LONG_FILES.has(path))).toEqual([]);
  });
  test('a file of 301 lines is found', () => {
    expect(longerThan([source('a.ts', '\n'.repeat(300)), source('b.ts', '\n'.repeat(301))], LINES_MAX)).toEqual([
      'b.ts',
    ]);
  });
  test('no exported function has a boolean parameter', () => {
    expect(shipped.flatMap(booleanParameters)).toEqual([]);
  });
  test.each([
    ['export function f(a: string, b: boolean): void {}', ['b: boolean']],
    ['export async function f<T extends Record<string, number>>(\n  a: T,\n  b = false,\n) {}', ['b = false']],
    ['export const f = ({ a }: { a: boolean }, b?: boolean): string => a;', ['b?: boolean']],
    ['export const f: F = async (a: (x: boolean) => void) => a(true);', []],
    ['export function f(a: boolean | undefined, b: string): boolean {}', []],
    ['function f(a: boolean) {}', []],
  ])('boolean parameters are found in: %s', (text, expected) => {
    expect(booleanParameters(source('a.ts', text))).toEqual(expected.map((parameter) => `a.ts: f(${parameter})`));
  });
  test('the median of all files is under 120 lines', () => {
    expect(medianLines(shipped)).toBeLessThan(LINES_MEDIAN_MAX);
    expect(medianLines([1, 130, 140].map((lines) => source('a.ts', 'x\n'.repeat(lines))))).toBe(130);
  });
});

describe('phases', () => {
  const folders = readdirSync(join(PROJECT, 'phases')).sort();
  test('every folder holds a phase of its name, registered in bin/compose.ts', () => {
    expect(registry.names().sort()).toEqual(folders);
    const compose = files.find(({ path }) => path === 'bin/compose.ts');
    expect(compose && importsOf(compose)).toEqual(
      expect.arrayContaining(folders.map((folder) => `phases/${folder}/index.ts`)),
    );
  });
  test('every folder has a contract case', () => {
    const tests = readdirSync(join(PROJECT, 'test/phases'));
    expect(folders.filter((folder) => !tests.includes(`${folder}.test.ts`))).toEqual([]);
    for (const folder of folders) {
      const cases = sourcesBelow('test/phases').find(({ path }) => path === `test/phases/${folder}.test.ts`);
      expect(cases?.text, folder).toContain('itKeepsThePhaseContract(');
    }
  });
});

describe('messages of libraries', () => {
  const caught = (call: string, text: string) =>
    source('engine/a.ts', `try {\n  ${call};\n} catch (error) {\n  throw new Error(${text});\n}\n`);
  test('no message of JSON.parse, a key, a gzip file, a program or a URL is a text for people', () => {
    expect(files.flatMap(libraryMessages)).toEqual([]);
  });
  test.each([
    ['JSON.parse(text)', '(error as Error).message'],
    ['await promisify(gunzip)(bytes)', 'clean((error as Error).message)'],
    ['return new URL(text)', 'reasonOf(error)'],
  ])('a message of a library is found: %s and %s', (call, text) => {
    expect(libraryMessages(caught(call, text))).toHaveLength(1);
  });
  test.each([
    ['JSON.parse(text)', "'it is not JSON', { cause: error }"],
    ['JSON.parse(text)', '/at (\\d+)/.exec((error as SyntaxError).message)?.[1]'],
    ['parseYaml(text)', '(error as Error).message'],
  ])('a message of our own passes: %s and %s', (call, text) => {
    expect(libraryMessages(caught(call, text))).toEqual([]);
  });
});
