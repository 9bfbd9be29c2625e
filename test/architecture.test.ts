import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { registry } from '../bin/compose.ts';
import { importsOf, lineCount, PROJECT, type Source, sourcesBelow } from './helpers/sources.ts';

interface ImportRule {
  rule: string;
  /** Whether the file at `path` may not import `target`. */
  forbids(path: string, target: string): boolean;
  /** A source that breaks the rule, and a neighbour that does not: a rule that can never fire is found. */
  offender: Source;
  innocent: Source;
}

const inside = (path: string, ...folders: string[]): boolean => folders.some((folder) => path.startsWith(`${folder}/`));
const isPackage = (target: string, name: string): boolean => target === name || target.startsWith(`${name}/`);
const isFile = (target: string): boolean => inside(target, 'bin', 'engine', 'phases', 'plugins', 'test', 'schemas');
const source = (path: string, text: string): Source => ({ path, text });
/** `phases/kubeconfig` of `phases/kubeconfig/index.ts`. */
const folderOf = (path: string): string => path.split('/').slice(0, 2).join('/');

/** The rooms of the engine, from the ground up: a room imports only what is on a lower floor. */
const FLOORS: string[][] = [
  ['pki'],
  ['sdk'],
  ['documents', 'net', 'node'],
  ['expressions', 'host', 'kube', 'kubeadm'],
  ['pipeline', 'journal', 'tokens'],
  ['environment', 'plugins'],
  ['run'],
  ['testing'],
];
const GENERIC = ['run', 'journal', 'pipeline', 'expressions', 'documents', 'environment', 'plugins', 'host', 'net'];
const KUBERNETES = ['kube', 'kubeadm', 'node', 'tokens'];
const rooms = (names: readonly string[]): string[] => names.map((name) => `engine/${name}`);
const floorOf = (path: string): number | undefined => {
  const [, room] = /^engine\/([^/]+)\//.exec(path) ?? [];
  const floor = FLOORS.findIndex((floor) => room !== undefined && floor.includes(room));
  return floor < 0 ? undefined : floor;
};
const isAbove = (path: string, target: string): boolean => {
  const [from, to] = [floorOf(path), floorOf(target)];
  return from === undefined || to === undefined || folderOf(path) === folderOf(target) || to < from;
};

const onlyIn = (name: string, where: string, allowed: (path: string) => boolean, home: string): ImportRule => ({
  rule: `${name} is imported only in ${where}`,
  forbids: (path, target) => isPackage(target, name) && !allowed(path),
  offender: source('engine/pipeline/made-up.ts', `import { something } from '${name}';`),
  innocent: source(home, `import { something } from '${name}';`),
});

const rules: ImportRule[] = [
  {
    rule: 'a phase imports only engine/sdk, engine/node, engine/pki, its own folder and the package yaml',
    forbids: (path, target) =>
      inside(path, 'phases') &&
      target !== 'yaml' &&
      !inside(target, 'engine/sdk', 'engine/node', 'engine/pki', folderOf(path)),
    offender: source('phases/made-up/index.ts', "import { readFile } from 'node:fs/promises';"),
    innocent: source('phases/made-up/index.ts', "import { stringify } from 'yaml';\nimport './schema.ts';"),
  },
  {
    rule: 'engine never imports phases, plugins or bin',
    forbids: (path, target) => inside(path, 'engine') && inside(target, 'phases', 'plugins', 'bin'),
    offender: source('engine/run/run.ts', "import preflight from '../../phases/preflight/index.ts';"),
    innocent: source('engine/run/run.ts', "import { fail } from '../sdk/errors.ts';"),
  },
  {
    rule: 'a room of the engine imports only rooms on lower floors',
    forbids: (path, target) => floorOf(target) !== undefined && !isAbove(path, target),
    offender: source('engine/sdk/made-up.ts', "import type { Host } from '../host/host.ts';"),
    innocent: source('engine/sdk/made-up.ts', "import { readCertificates } from '../pki/index.ts';"),
  },
  {
    rule: 'a generic room imports no Kubernetes room',
    forbids: (path, target) => inside(path, ...rooms(GENERIC)) && inside(target, ...rooms(KUBERNETES)),
    offender: source('engine/host/made-up.ts', "import { kubePort } from '../kube/port.ts';"),
    innocent: source('engine/host/made-up.ts', "import { fail } from '../sdk/errors.ts';"),
  },
  {
    rule: 'engine/kube never imports engine/host',
    forbids: (path, target) => inside(path, 'engine/kube') && inside(target, 'engine/host'),
    offender: source('engine/kube/made-up.ts', "import type { Host } from '../host/host.ts';"),
    innocent: source('engine/kube/made-up.ts', "import { fail } from '../sdk/errors.ts';"),
  },
  {
    rule: 'engine/journal never imports engine/pipeline',
    forbids: (path, target) => inside(path, 'engine/journal') && inside(target, 'engine/pipeline'),
    offender: source('engine/journal/made-up.ts', "import type { Plan } from '../pipeline/plan.ts';"),
    innocent: source('engine/journal/made-up.ts', "import type { Host } from '../host/host.ts';"),
  },
  {
    rule: 'the engine knows nothing of engine/kubeadm',
    forbids: (path, target) =>
      inside(path, 'engine') && !inside(path, 'engine/kubeadm') && inside(target, 'engine/kubeadm'),
    offender: source('engine/run/run.ts', "import type { JoinSettings } from '../kubeadm/index.ts';"),
    innocent: source('bin/commands/made-up.ts', "import type { JoinSettings } from '../../engine/kubeadm/index.ts';"),
  },
  {
    rule: 'a plugin imports nothing of engine but engine/sdk, engine/node and engine/pki, and never bin or a phase',
    forbids: (path, target) =>
      inside(path, 'plugins') &&
      isFile(target) &&
      !inside(target, 'engine/sdk', 'engine/node', 'engine/pki', folderOf(path)),
    offender: source('plugins/sandbox/made-up.ts', "const { run } = await import('../../engine/run.ts');"),
    innocent: source('plugins/sandbox/made-up.ts', "import { Secret } from '../../engine/sdk/index.ts';"),
  },
  {
    rule: 'nothing imports the tests',
    forbids: (_, target) => inside(target, 'test'),
    offender: source('bin/made-up.ts', "import '../test/helpers/machine.ts';"),
    innocent: source('bin/made-up.ts', "import './compose.ts';"),
  },
  onlyIn('tsyringe', 'bin/compose.ts', (path) => path === 'bin/compose.ts', 'bin/compose.ts'),
  onlyIn(
    'xstate',
    'the machines, engine/run/run.ts and engine/testing',
    (path) =>
      ['engine/run/run-machine.ts', 'engine/run/step-machine.ts', 'engine/run/run.ts'].includes(path) ||
      inside(path, 'engine/testing'),
    'engine/run/run-machine.ts',
  ),
  onlyIn(
    'undici',
    'engine/kube and engine/net',
    (path) => inside(path, 'engine/kube', 'engine/net'),
    'engine/kube/request.ts',
  ),
  ...['@connectrpc', '@bufbuild'].map((name) =>
    onlyIn(name, 'engine/host/cri', (path) => inside(path, 'engine/host/cri'), 'engine/host/cri/call.ts'),
  ),
  onlyIn('@oclif', 'bin', (path) => inside(path, 'bin'), 'bin/command.ts'),
];

/** Imports that still run upwards. Each goes with the file that it is in; nothing is added here. */
const DEBTS = new Set([
  'engine/host/cri/runtime.ts imports engine/node/cri.ts',
  'engine/host/dry-run-objects.ts imports engine/kube/port.ts',
  'engine/host/memory.ts imports engine/node/cri.ts',
  'engine/host/ports/index.ts imports engine/kube/port.ts',
  'engine/host/real.ts imports engine/kube/request.ts',
  'engine/host/real.ts imports engine/kube/watch.ts',
  'engine/host/recording.ts imports engine/kube/port.ts',
  'engine/journal/history.ts imports engine/run/approval.ts',
  'engine/journal/history.ts imports engine/run/frontier.ts',
  'engine/journal/journal.ts imports engine/run/approval.ts',
  'engine/journal/plan.ts imports engine/pipeline/planned-step.ts',
  'engine/journal/plan.ts imports engine/pipeline/plan.ts',
  'engine/journal/plan.ts imports engine/pipeline/registry.ts',
  'engine/journal/plan.ts imports engine/pipeline/approval.ts',
  'engine/journal/plugins.ts imports engine/pipeline/planned-step.ts',
  'engine/journal/records.ts imports engine/pipeline/plan.ts',
  'engine/journal/records.ts imports engine/run/approval.ts',
  'engine/journal/records.ts imports engine/run/frontier.ts',
  'engine/journal/runs.ts imports engine/run/approval.ts',
  'engine/kube/port.ts imports engine/host/host.ts',
  'engine/kube/request.ts imports engine/host/host.ts',
  'engine/kube/watch.ts imports engine/host/host.ts',
  'engine/net/calls.ts imports engine/kube/request.ts',
  'engine/net/download.ts imports engine/kube/request.ts',
  'engine/pipeline/values.ts imports engine/run/frontier.ts',
  'engine/sdk/index.ts imports engine/node/cgroup-driver.ts',
  'engine/sdk/index.ts imports engine/node/cluster-info.ts',
  'engine/sdk/index.ts imports engine/node/cri.ts',
  'engine/sdk/index.ts imports engine/node/identity.ts',
  'engine/sdk/index.ts imports engine/node/kernel.ts',
  'engine/sdk/index.ts imports engine/node/kubeconfig.ts',
  'engine/sdk/index.ts imports engine/node/kubelet.ts',
  'engine/sdk/index.ts imports engine/node/shut-down-kubelet.ts',
  'engine/sdk/index.ts imports engine/node/visible-node.ts',
]);

const brokenBy = ({ rule, forbids }: ImportRule, files: readonly Source[]): string[] =>
  files.flatMap((file) =>
    importsOf(file)
      .filter((target) => forbids(file.path, target))
      .map((target) => `${file.path} imports ${target}: ${rule}`),
  );

const LINES_MAX = 400;
const LINES_MEDIAN_MAX = 120;
const EMPTY_WORDS = ['utils', 'common', 'helpers'];

const tooLong = (files: readonly Source[]): string[] =>
  files.filter((file) => lineCount(file) > LINES_MAX).map((file) => `${file.path} has ${lineCount(file)} lines`);
const medianLines = (files: readonly Source[]): number =>
  files.map(lineCount).sort((a, b) => a - b)[Math.floor(files.length / 2)] ?? 0;
const namedEmptily = (files: readonly Source[]): string[] =>
  files
    .map(({ path }) => path)
    .filter((path) => path.split('/').some((part) => EMPTY_WORDS.includes(part.replace(/\.ts$/, ''))));

const files = sourcesBelow('bin', 'engine', 'phases', 'plugins');
const shipped = files.filter(({ path }) => !path.endsWith('.d.ts'));

describe('who may import whom', () => {
  test.each(rules)('$rule', (rule) => {
    const broken = brokenBy(rule, files).filter((text) => !DEBTS.has(text.slice(0, text.indexOf(':'))));
    expect(broken).toEqual([]);
  });
  test.each(rules)('a source that breaks it is found: $rule', (rule) => {
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
  test('every way of importing is seen, and comments are not', () => {
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
  test('there are sources to look at in every folder, each with the imports it has', () => {
    for (const folder of ['bin', 'engine', 'phases', 'plugins'])
      expect(files.filter(({ path }) => inside(path, folder)).length).toBeGreaterThan(5);
    const run = files.find(({ path }) => path === 'engine/run/run.ts');
    expect(run && importsOf(run)).toEqual(
      expect.arrayContaining(['xstate', 'engine/run/frontier.ts', 'engine/run/book.ts']),
    );
  });
});

test('no import that still runs upwards is listed without being there', () => {
  const all = files.flatMap((file) => importsOf(file).map((target) => `${file.path} imports ${target}`));
  expect([...DEBTS].filter((debt) => !all.includes(debt))).toEqual([]);
});

describe('names and sizes', () => {
  test('no folder or file is named utils, common or helpers', () => {
    expect(namedEmptily(files)).toEqual([]);
    const made = ['engine/utils/x.ts', 'phases/p/helpers.ts', 'bin/common.ts', 'engine/commonality.ts'];
    expect(namedEmptily(made.map((path) => source(path, '')))).toEqual(made.slice(0, 3));
  });
  test('no file has more than 400 lines', () => {
    expect(tooLong(shipped)).toEqual([]);
    expect(tooLong([source('a.ts', '\n'.repeat(400)), source('b.ts', '\n'.repeat(401))])).toEqual([
      'b.ts has 401 lines',
    ]);
  });
  test('the median of all files is under 120 lines', () => {
    expect(medianLines(shipped)).toBeLessThan(LINES_MEDIAN_MAX);
    expect(medianLines([1, 130, 140].map((lines) => source('a.ts', 'x\n'.repeat(lines))))).toBe(130);
  });
});

describe('phases', () => {
  const folders = readdirSync(join(PROJECT, 'phases')).sort();
  test('every folder holds a phase of its name, registered in bin/compose.ts', () => {
    expect(registry().names().sort()).toEqual(folders);
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
