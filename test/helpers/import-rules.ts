/** Who may import whom: each rule with a source that breaks it and one that keeps it. */
import { importsOf, type Source } from './sources.ts';

export interface ImportRule {
  rule: string;
  /** Whether the file at `path` may not import `target`. */
  forbids(path: string, target: string): boolean;
  /** A source that breaks the rule, and one that keeps it. They prove that the rule can fire. */
  offender: Source;
  innocent: Source;
}

export const inside = (path: string, ...folders: string[]): boolean =>
  folders.some((folder) => path.startsWith(`${folder}/`));
const isPackage = (target: string, name: string): boolean => target === name || target.startsWith(`${name}/`);
const isFile = (target: string): boolean => inside(target, 'bin', 'engine', 'phases', 'plugins', 'test', 'schemas');
export const source = (path: string, text: string): Source => ({ path, text });
/** `phases/kubeconfig` of `phases/kubeconfig/index.ts`. */
const folderOf = (path: string): string => path.split('/').slice(0, 2).join('/');

/** The rooms of the engine, from the ground up. A room imports only rooms on lower floors. */
const FLOORS: string[][] = [
  ['pki', 'limits'],
  ['sdk'],
  ['documents', 'net'],
  ['node'],
  ['expressions', 'host', 'kube', 'kubeadm'],
  ['pipeline', 'journal', 'tokens'],
  ['environment', 'plugins'],
  ['run'],
  ['fleet'],
  ['testing'],
];
const GENERIC = ['run', 'journal', 'pipeline', 'expressions', 'documents', 'environment', 'plugins', 'host', 'net'];
const KUBERNETES = ['kube', 'kubeadm', 'node', 'tokens', 'fleet'];
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

export const rules: ImportRule[] = [
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
    rule: 'no other room of the engine imports engine/kubeadm',
    forbids: (path, target) =>
      inside(path, 'engine') && !inside(path, 'engine/kubeadm') && inside(target, 'engine/kubeadm'),
    offender: source('engine/run/run.ts', "import type { JoinSettings } from '../kubeadm/index.ts';"),
    innocent: source('bin/commands/made-up.ts', "import type { JoinSettings } from '../../engine/kubeadm/index.ts';"),
  },
  {
    // The sandbox is a test double, and shares its etcd with the tests.
    rule: 'a plugin imports nothing of engine but engine/sdk, engine/node and engine/pki, and never bin or a phase',
    forbids: (path, target) =>
      inside(path, 'plugins') &&
      isFile(target) &&
      !inside(target, 'engine/sdk', 'engine/node', 'engine/pki', folderOf(path)) &&
      !(inside(path, 'plugins/sandbox') && inside(target, 'engine/testing')),
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
      ['engine/run/run-machine.ts', 'engine/run/step-actor.ts', 'engine/run/run.ts'].includes(path) ||
      inside(path, 'engine/testing'),
    'engine/run/run-machine.ts',
  ),
  ...['undici', '@bufbuild'].map((name) =>
    onlyIn(name, 'engine/net', (path) => inside(path, 'engine/net'), 'engine/net/proxy.ts'),
  ),
  onlyIn('preact', 'bin/fleet/page', (path) => inside(path, 'bin/fleet/page'), 'bin/fleet/page/main.tsx'),
  {
    rule: 'the page of a fleet imports only preact, its folder, and types of its view, engine/fleet and engine/sdk',
    forbids: (path, target) =>
      inside(path, 'bin/fleet/page') &&
      target !== 'bin/fleet/view.ts' &&
      !isPackage(target, 'preact') &&
      !inside(target, 'bin/fleet/page', 'engine/fleet', 'engine/sdk'),
    offender: source('bin/fleet/page/made-up.ts', "import { printable } from '../../render/text.ts';"),
    innocent: source('bin/fleet/page/made-up.ts', "import type { RunView } from '../view.ts';"),
  },
  onlyIn(
    '@restatedev',
    'engine/fleet/restate',
    (path) => inside(path, 'engine/fleet/restate'),
    'engine/fleet/restate/sdk.ts',
  ),
  onlyIn('@connectrpc', 'test', (path) => inside(path, 'test'), 'test/helpers/fake-runtime.ts'),
  onlyIn('@oclif', 'bin', (path) => inside(path, 'bin'), 'bin/command.ts'),
];

export const brokenBy = ({ rule, forbids }: ImportRule, files: readonly Source[]): string[] =>
  files.flatMap((file) =>
    importsOf(file)
      .filter((target) => forbids(file.path, target))
      .map((target) => `${file.path} imports ${target}: ${rule}`),
  );
