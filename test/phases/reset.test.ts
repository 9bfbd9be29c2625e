import { describe, expect, test } from 'vitest';
import { fail } from '../../engine/sdk/index.ts';
import { type MemoryMachine, memoryHost } from '../../engine/testing/memory-host.ts';
import reset from '../../phases/reset/index.ts';
import { FakeCluster, issue, NOW, SERVER } from '../helpers/cluster.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';
import { glimpseOf, heldIdentity } from '../helpers/node.ts';

const cluster = new FakeCluster();
cluster.answers.set('PATCH /api/v1/nodes/w1/status', cluster.answer(200, { metadata: { name: 'w1' } }));
const SOCKET = '/run/containerd/containerd.sock';
const own = issue(cluster.ca);
const written = {
  ...heldIdentity(SERVER, cluster.ca.pem, own),
  '/etc/kubernetes/admin.conf': 'a',
  '/etc/kubernetes/bootstrap-kubelet.conf': 'b',
  '/etc/kubernetes/pki/ca.crt': 'c',
  '/etc/kubernetes/manifests/own.yaml': 'd',
  '/var/lib/kubelet/config.yaml': 'e',
  '/var/lib/kubelet/pods/1/volumes/x': 'f',
  '/var/lib/cni/networks/1': 'g',
  '/var/lib/dockershim/1': 'h',
  '/etc/cni/net.d/10-bridge.conf': 'the network is not ours',
  '/etc/default/kubelet': 'nor are flags of an administrator',
  [SOCKET]: '',
};
const kubelet = (version: string): MemoryMachine => ({
  programs: ['kubelet'],
  outputs: { 'kubelet --version': { stdout: `Kubernetes ${version}\n` } },
});
const joined = (change: MemoryMachine = {}): MemoryMachine => ({
  now: () => NOW,
  files: written,
  services: { kubelet: { active: true } },
  mounts: ['/var/lib/kubelet/pods/1/volumes/token'],
  podSandboxes: [{ id: 's1', name: 'web', namespace: 'default' }],
  send: cluster.send,
  ...kubelet('v1.36.2'),
  ...change,
});

itKeepsThePhaseContract(reset, {
  input: {},
  machine: () => joined({ mounts: [], podSandboxes: [] }),
  secrets: [glimpseOf(own.keyPem)],
  goesOn: true,
});

describe('reset', () => {
  test('reset stops the kubelet, updates the Node, removes its Pods and deletes its files, in this order', async () => {
    const host = memoryHost(joined());
    const { error, changes, result } = await runPhase(reset, {}, host);
    expect(error).toBeUndefined();
    expect(changes).toEqual([
      { kind: 'service', name: 'kubelet', action: 'stop' },
      { kind: 'api', verb: 'patch', resource: 'nodes/status', name: 'w1', checked: 'sent' },
      { kind: 'pod-sandbox', pod: 'default/web' },
      { kind: 'unmount', path: '/var/lib/kubelet/pods/1/volumes/token' },
      ...[
        '/etc/kubernetes/manifests/own.yaml',
        '/etc/kubernetes/admin.conf',
        '/etc/kubernetes/kubelet.conf',
        '/etc/kubernetes/bootstrap-kubelet.conf',
        '/var/lib/kubelet/config.yaml',
        '/var/lib/kubelet/pki',
        '/var/lib/kubelet/pods',
        '/etc/kubernetes/pki/ca.crt',
      ].map((path) => expect.objectContaining({ kind: 'remove-tree', path })),
    ]);
    expect(result.steps[0]?.outputs).toEqual({ node: 'w1' });
    expect(result.steps[0]?.notes.filter(({ text }) => text.includes('kubectl delete node w1'))).toHaveLength(1);
    expect(host.sent.find(({ method }) => method === 'PATCH')?.body).toMatchObject({
      status: {
        conditions: [{ type: 'Ready', status: 'False', reason: 'MachineReset', message: 'the machine was reset' }],
      },
    });
  });

  test.each<[string, MemoryMachine, string[]]>([
    ['a kubelet 1.24', kubelet('v1.24.17'), ['/var/lib/dockershim/1', '/var/lib/cni/networks']],
    ['a kubelet 1.25', kubelet('v1.25.0'), []],
    ['no kubelet', { programs: [] }, []],
  ])(
    'reset with %s deletes what runtimes and networks left, as the kubeadm of that release does',
    async (_, change, expected) => {
      const { error, changes } = await runPhase(reset, {}, memoryHost(joined(change)));
      expect(error).toBeUndefined();
      const deleted = changes.flatMap((entry) => (entry.kind === 'remove-tree' ? entry.path : []));
      expect(deleted.filter((path) => /dockershim|cni/.test(path))).toEqual(expected);
    },
  );

  test('reset resets a machine without an identity', async () => {
    const { error, changes, result } = await runPhase(
      reset,
      {},
      memoryHost(joined({ files: { '/var/lib/kubelet/config.yaml': '' }, services: {}, mounts: [], podSandboxes: [] })),
    );
    expect([error, changes]).toEqual([
      undefined,
      [{ kind: 'remove-tree', path: '/var/lib/kubelet/config.yaml', removes: 'file' }],
    ]);
    expect(result.steps[0]?.outputs).toEqual({});
  });

  test('reset continues with a warning if the cluster does not answer', async () => {
    const send = () => Promise.reject(fail('E_API_UNREACHABLE', { server: 'https://x:1', what: 'refused' }));
    const { error, result } = await runPhase(reset, {}, memoryHost(joined({ send })));
    expect(error).toBeUndefined();
    expect(result.steps[0]?.notes).toContainEqual({
      level: 'warn',
      text: expect.stringContaining('Node w1 could not be marked as not Ready'),
    });
  });
});
