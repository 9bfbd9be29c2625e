/** What `--patches` makes of the static Pods of a control plane. */
import { describe, expect, test } from 'vitest';
import { strategicPatch } from '../../engine/node/merge-patch.ts';
import { parseYaml } from '../../engine/sdk/index.ts';
import { memoryHost } from '../../engine/testing/memory-host.ts';
import controlPlaneManifests from '../../phases/control-plane-manifests/index.ts';
import { runPhase } from '../helpers/contract.ts';
import { ADDRESS, CONFIGURATION, controlPlaneMachine } from '../helpers/control-plane.ts';

const DIRECTORY = '/patches';
const input = { clusterConfiguration: CONFIGURATION, advertiseAddress: ADDRESS, patches: DIRECTORY };

interface Pod {
  metadata: { annotations?: Record<string, string> };
  spec: {
    containers: { name: string; image: string; command?: string[]; env?: object[]; resources: { requests: object } }[];
    volumes: { name: string; hostPath: object }[];
    priority?: number;
  };
}

async function patched(patches: Record<string, string>) {
  const machine = controlPlaneMachine();
  const files = Object.fromEntries(Object.entries(patches).map(([name, text]) => [`${DIRECTORY}/${name}`, text]));
  const host = memoryHost({
    ...machine,
    directories: [...(machine.directories ?? []), DIRECTORY],
    files: { ...machine.files, ...files },
  });
  const { error, result } = await runPhase(controlPlaneManifests, input, host);
  const podOf = async (name: string) => {
    const path = `/etc/kubernetes/manifests/${name}.yaml`;
    return parseYaml(String(await host.read<'file'>({ kind: 'file', path }, new AbortController().signal))) as Pod;
  };
  return { error: error as Error | undefined, podOf, changes: host.changes, notes: result.steps[0]?.notes ?? [] };
}

describe('patches of static Pods', () => {
  test('a strategic patch merges the container of its name, and keeps the rest of the Pod', async () => {
    const { podOf, notes } = await patched({
      'kube-apiserver0.yaml':
        'spec: { containers: [{ name: kube-apiserver, resources: { requests: { cpu: 2 } }, ' +
        'env: [{ name: A, value: b }] }] }\n',
    });
    const [container, ...others] = (await podOf('kube-apiserver')).spec.containers;
    expect(others).toEqual([]);
    expect(container).toMatchObject({
      image: 'registry.k8s.io/kube-apiserver:v1.36.2',
      resources: { requests: { cpu: 2 } },
      env: [{ name: 'A', value: 'b' }],
    });
    expect(notes.map(({ text }) => text)).toEqual([
      'applied /patches/kube-apiserver0.yaml to the static Pod kube-apiserver',
    ]);
  });

  test('merge and JSON patches replace lists and single values, each for its own component', async () => {
    const { podOf } = await patched({
      'kube-scheduler+json.yaml': '- { op: replace, path: /spec/containers/0/image, value: own/scheduler }\n',
      'kube-controller-manager+merge.yaml': 'metadata: { annotations: { a: b } }\nspec: { priority: null }\n',
    });
    expect((await podOf('kube-scheduler')).spec.containers[0]?.image).toBe('own/scheduler');
    const manager = await podOf('kube-controller-manager');
    expect([manager.metadata.annotations, manager.spec.priority]).toEqual([{ a: 'b' }, undefined]);
    expect((await podOf('kube-apiserver')).spec.priority).toBe(2_000_001_000);
  });

  test('a strategic patch can add and delete a volume', async () => {
    const { podOf } = await patched({
      'kube-scheduler.yaml':
        'spec: { volumes: [{ name: own, hostPath: { path: /own } }, { name: kubeconfig, $patch: delete }] }\n',
    });
    expect((await podOf('kube-scheduler')).spec.volumes).toEqual([{ name: 'own', hostPath: { path: '/own' } }]);
  });

  test.each([
    ['another kind', { 'kube-apiserver+merge.yaml': 'kind: Job\n' }, 'the result is not a Pod'],
    ['no container', { 'kube-scheduler+merge.yaml': 'spec: { containers: [] }\n' }, 'without a name or containers'],
    ['an item without a name', { 'kube-scheduler.yaml': 'spec: { containers: [{ image: a }] }\n' }, 'has no name'],
    ['a wrong path', { 'kube-scheduler+json.yaml': '[{ op: remove, path: /spec/nope }]\n' }, '/spec/nope'],
  ])('a patch that leaves %s is refused', async (_, patches, problem) => {
    const { error } = await patched(patches);
    expect(error).toMatchObject({ code: 'E_PATCH' });
    expect(error?.message).toContain(problem);
  });

  test('an item with $patch: replace and without a name replaces the whole list', () => {
    const target = { env: [{ name: 'a' }, { name: 'b' }] };
    const patch = { env: [{ $patch: 'replace' }, { name: 'c' }] };
    expect(strategicPatch(target, patch, { env: 'name' })).toEqual({ env: [{ name: 'c' }] });
  });
});
