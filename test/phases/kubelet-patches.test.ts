import { spawnSync } from 'node:child_process';
/** What `--patches`, and a configuration file's taints and arguments, make of what kubelet-config writes. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { mergePatch, strategicPatch } from '../../engine/node/merge-patch.ts';
import { type MemoryMachine, memoryHost } from '../../engine/testing/memory-host.ts';
import kubeletConfig from '../../phases/kubelet-config/index.ts';
import { authority, NOW } from '../helpers/cluster.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';
import { thrownBy } from '../helpers/errors.ts';

const ca = authority();
const input = {
  ca: ca.pem,
  nodeName: 'w1',
  hostName: 'w1',
  kubeletVersion: 'v1.30.2',
  kubeletConfiguration: {
    kind: 'KubeletConfiguration',
    cgroupDriver: 'systemd',
    clusterDNS: ['10.96.0.10'],
    evictionHard: { a: '1', b: '2' },
  },
};
const SOCKET = '/run/containerd/containerd.sock';
const DIRECTORY = '/patches';

function machine(patches: Record<string, string>, change: MemoryMachine = {}): MemoryMachine {
  const files = Object.fromEntries(Object.entries(patches).map(([name, text]) => [`${DIRECTORY}/${name}`, text]));
  return {
    now: () => NOW,
    directories: ['/etc', '/var/lib', DIRECTORY],
    services: { kubelet: {} },
    files,
    runtimes: { [SOCKET]: { cgroupDriver: 'systemd' as const } },
    ...change,
  };
}

async function configured(patches: Record<string, string>, overrides: object = { patches: DIRECTORY }, change = {}) {
  const host = memoryHost(machine(patches, change));
  const { error, changes, result } = await runPhase(kubeletConfig, { ...input, ...overrides }, host);
  const read = async (path: string) =>
    (await host.read<'file'>({ kind: 'file', path }, new AbortController().signal))?.toString() ?? '';
  const notes = (result.steps[0]?.notes ?? []).map(({ level, text }) => `${level}: ${text}`);
  return {
    error,
    changes,
    notes,
    config: parse(await read('/var/lib/kubelet/config.yaml')) as Record<string, unknown> | null,
    flags: (await read('/var/lib/kubelet/kubeadm-flags.env')).trim(),
  };
}

itKeepsThePhaseContract(kubeletConfig, {
  input: {
    ...input,
    patches: DIRECTORY,
    taints: [{ key: 'a', effect: 'NoExecute' }],
    kubeletExtraArgs: [{ name: 'v', value: '4' }],
  },
  machine: () => machine({ 'kubeletconfiguration.yaml': 'maxPods: 7' }),
  secrets: [],
});

describe('patches of the kubelet configuration', () => {
  test('kubelet-config applies patches in the order of their names, each by its type', async () => {
    const { error, config, notes } = await configured({
      'kubeletconfiguration0.yaml': 'maxPods: 1\nevictionHard: { b: "3" }\n---\nclusterDNS: [10.0.0.1]\n',
      'kubeletconfiguration1+merge.json': '{ "maxPods": 2, "evictionHard": { "a": null } }',
      'kubeletconfiguration2+json.yaml': '- { op: add, path: /clusterDNS/-, value: 10.0.0.2 }',
      'kubeletconfiguration3+strategic.yaml': 'evictionHard: { $patch: replace, c: "4" }',
    });
    expect(error).toBeUndefined();
    expect(config).toMatchObject({ maxPods: 2, clusterDNS: ['10.0.0.1', '10.0.0.2'], evictionHard: { c: '4' } });
    expect(notes.filter((note) => note.includes('applied'))).toHaveLength(4);
  });

  test('kubelet-config ignores patches for other targets, and warns about directories and other files', async () => {
    const { error, notes } = await configured({
      'etcd.yaml': 'a: 1',
      'kube-apiserver0+merge.yaml': 'a: 1',
      'kubeletconfiguration.txt': 'maxPods: 1',
      'kubeletconfig.yaml': 'maxPods: 1',
      'kubeletconfiguration9.yaml': '',
      'kubeletconfiguration.yaml/kubeletconfiguration.yaml': 'maxPods: 1',
    });
    expect(error).toBeUndefined();
    const name = 'a patch is a file kubeletconfiguration[suffix][+strategic|+merge|+json].yaml or .json';
    expect(notes.filter((note) => note.includes(DIRECTORY))).toEqual([
      'info: ignoring /patches/etcd.yaml: it is not for the kubelet',
      'info: ignoring /patches/kube-apiserver0+merge.yaml: it is not for the kubelet',
      `warn: ignoring /patches/kubeletconfig.yaml: ${name}`,
      `warn: ignoring /patches/kubeletconfiguration.txt: ${name}`,
      `warn: ignoring /patches/kubeletconfiguration.yaml: ${name}`,
      'warn: /patches/kubeletconfiguration9.yaml is empty',
    ]);
  });

  test('kubelet-config reads the type of a patch after the last plus sign, also if the suffix has a dot', async () => {
    const { error, config } = await configured({
      'kubeletconfiguration.prod.yaml': 'maxPods: 7',
      'kubeletconfiguration.v1.2+json.yaml': '- { op: add, path: /podPidsLimit, value: 9 }',
    });
    expect(error).toBeUndefined();
    expect(config).toMatchObject({ maxPods: 7, podPidsLimit: 9 });
  });

  test('preflight-cluster compares the patched cgroup driver with that of the runtime', async () => {
    const { error, changes } = await configured({ 'kubeletconfiguration.yaml': 'cgroupDriver: cgroupfs' });
    expect(error).toMatchObject({ code: 'E_CGROUP_DRIVER', facts: { kubelet: 'cgroupfs', runtime: 'systemd' } });
    expect(changes).toEqual([]);
  });

  test.each<[string, Record<string, string>, string, string]>([
    [
      'that name an unknown kind',
      { 'kubeletconfiguration+x.yaml': 'a: 1' },
      '/kubeletconfiguration+x.yaml',
      'its name has the unknown type x; it must be strategic, merge or json',
    ],
    [
      'that are not YAML',
      { 'kubeletconfiguration.yaml': 'a: [' },
      '/kubeletconfiguration.yaml',
      'line 1: the indentation does not match the lines above, or a bracket above is not closed',
    ],
    [
      'that are not YAML in their second document',
      { 'kubeletconfiguration.yaml': 'a: 1\n---\nb: 1\nc: [' },
      '/kubeletconfiguration.yaml',
      'line 4: the indentation does not match the lines above, or a bracket above is not closed',
    ],
    [
      'that are not operations',
      { 'kubeletconfiguration+json.json': '{}' },
      '/kubeletconfiguration+json.json',
      'a JSON patch must be a list of operations',
    ],
    [
      'that cannot be applied',
      { 'kubeletconfiguration+json.json': '[{"op":"remove","path":"/nope"}]' },
      '/kubeletconfiguration+json.json',
      'operation 1: cannot remove /nope: the path does not exist',
    ],
    [
      'that leave something else',
      { 'kubeletconfiguration.yaml': 'kind: Secret' },
      '/kubeletconfiguration.yaml',
      'the result is not a KubeletConfiguration',
    ],
    [
      'with a directive of lists',
      { 'kubeletconfiguration.yaml': '$setElementOrder/clusterDNS: []' },
      '/kubeletconfiguration.yaml',
      'unknown directive $setElementOrder/clusterDNS',
    ],
  ])('kubelet-config refuses patches %s before anything is written', async (_, patches, file, what) => {
    const { error, changes } = await configured(patches);
    expect(error).toMatchObject({ code: 'E_PATCH', facts: { file: `${DIRECTORY}${file}`, what }, exitCode: 2 });
    expect(changes).toEqual([]);
  });

  test('kubelet-config requires a directory of patches', async () => {
    const { error } = await configured({}, { patches: '/none' });
    expect(error).toMatchObject({ code: 'E_PATCH', facts: { file: '/none', what: 'it does not exist' } });
  });
});

describe('taints and extra arguments of the kubelet', () => {
  const flags = async (overrides: object) => (await configured({}, overrides)).flags;
  const endpoint = '--container-runtime-endpoint=unix:///var/run/containerd/containerd.sock';

  test('up to 1.35, kubelet-config writes extra arguments sorted, and they override its own flags', async () => {
    expect(
      await flags({
        taints: [
          { key: 'dedicated', value: 'gpu', effect: 'NoSchedule' },
          { key: 'new', value: '', effect: 'NoExecute' },
        ],
        kubeletExtraArgs: [
          { name: 'v', value: '4' },
          { name: 'cgroup-root' },
          { name: 'node-labels', value: 'a=b,c="d"' },
        ],
      }),
    ).toBe(
      `KUBELET_KUBEADM_ARGS="--cgroup-root= ${endpoint} \\"--node-labels=a=b,c=\\\\\\"d\\\\\\"\\" --register-with-taints=dedicated=gpu:NoSchedule,new:NoExecute --v=4"`,
    );
    expect(await flags({ kubeletExtraArgs: [{ name: 'container-runtime-endpoint', value: 'unix:///x' }] })).toBe(
      'KUBELET_KUBEADM_ARGS="--container-runtime-endpoint=unix:///x"',
    );
  });

  test.each(['a b', '"d"', "it's", 'a\\b', '$HOME', '`id`', '', ' x '])(
    'an argument with the value %j reaches a kubelet as one word, also through a shell',
    async (value) => {
      const file = await flags({ kubeletExtraArgs: [{ name: 'x', value }] });
      const { stdout } = spawnSync('sh', ['-c', `${file}\neval "set -- $KUBELET_KUBEADM_ARGS"; printf '%s\\n' "$@"`]);
      expect(String(stdout).split('\n')).toContain(`--x=${value}`);
    },
  );

  test.each([
    ['v1.35.9', '--a=2 --b=1 --b=3 --hostname-override=other'],
    ['v1.36.0', '--hostname-override=other --b=1 --a=2 --b=3'],
  ])('for %s, kubelet-config keeps duplicates of extra arguments and writes: %s', async (kubeletVersion, line) => {
    const kubeletExtraArgs = ['b', 'a', 'b'].map((name, at) => ({ name, value: String(at + 1) }));
    expect(await flags({ kubeletVersion, nodeName: 'other', kubeletExtraArgs })).toBe(`KUBELET_KUBEADM_ARGS="${line}"`);
  });

  test.each([
    [{ kubeletExtraArgs: [{ name: '--v' }] }, /has the wrong form "--v": it must be an argument without its dashes/],
    [{ kubeletExtraArgs: [{ name: 'v', value: 'a\nb' }] }, /it must be one line/],
    [{ taints: [{ key: 'a', effect: 'Never' }] }, /must be one of NoSchedule, PreferNoSchedule, NoExecute/],
  ])('kubelet-config refuses invalid taints and arguments', async (overrides, words) => {
    expect(
      String(await thrownBy(() => runPhase(kubeletConfig, { ...input, ...overrides }, memoryHost(machine({}))))),
    ).toMatch(words);
  });
});

describe('merge patches', () => {
  // RFC 7396, appendix A.
  test.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, null, null],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('merge: %j with %j is %j', (target, patch, result) => {
    expect(mergePatch(target, patch)).toEqual(result);
  });

  test('a patch keeps an integer beyond 2^53 exactly', () => {
    const patch = { podPidsLimit: { $integer: '9223372036854775807' } };
    for (const apply of [mergePatch, strategicPatch]) expect(apply({ podPidsLimit: 1 }, patch)).toEqual(patch);
  });

  test('a strategic patch without directives equals a merge patch, also for keys such as __proto__', () => {
    const plain = fc.jsonValue({ maxDepth: 3 });
    fc.assert(
      fc.property(plain, plain, (target, patch) => {
        if (!JSON.stringify(patch).includes('"$'))
          expect(strategicPatch(target, patch)).toEqual(mergePatch(target, patch));
      }),
    );
    const odd = JSON.parse('{"__proto__":{"polluted":1}}');
    expect(Object.hasOwn(mergePatch({}, odd) as object, '__proto__')).toBe(true);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});
