import { describe, expect, test } from 'vitest';
import { nodeRef } from '../../engine/node/index.ts';
import { type MemoryHost, memoryHost } from '../../engine/testing/memory-host.ts';
import markControlPlane from '../../phases/mark-control-plane/index.ts';
import { authority, FakeCluster, issue, NOW } from '../helpers/cluster.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';
import { adminConf, CONFIGURATION } from '../helpers/control-plane.ts';
import { glimpseOf } from '../helpers/node.ts';

const ca = authority();
const admin = issue(ca, { user: 'kubernetes-admin', groups: ['kubeadm:cluster-admins'] });
const input = { nodeName: 'cp2', clusterConfiguration: CONFIGURATION };
const HOSTNAME = { 'kubernetes.io/hostname': 'cp2' };
const NOT_READY = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' };
const ROLE = { key: 'node-role.kubernetes.io/control-plane', effect: 'NoSchedule' };
const OLD_ROLE = { key: 'node-role.kubernetes.io/master', effect: 'NoSchedule' };

function machineWith(taints: object[] = [NOT_READY], labels: Record<string, string> = HOSTNAME) {
  const cluster = new FakeCluster(ca);
  cluster.put(nodeRef('cp2'), { metadata: { name: 'cp2', labels }, spec: { taints } });
  const files = { '/etc/kubernetes/admin.conf': adminConf(ca.pem, admin) };
  return { now: () => NOW, files, send: cluster.send, wait: cluster.wait };
}

itKeepsThePhaseContract(markControlPlane, {
  input,
  machine: () => machineWith(),
  secrets: [glimpseOf(admin.keyPem)],
});

async function run(inputs: object = {}, machine = machineWith()) {
  const host: MemoryHost = memoryHost(machine);
  const { error } = await runPhase(markControlPlane, { ...input, ...inputs }, host);
  const [patch] = host.sent.filter(({ method }) => method === 'PATCH');
  const { metadata, spec } = (patch?.body ?? {}) as { metadata?: { labels: object }; spec?: { taints: object[] } };
  return { error, labels: Object.keys(metadata?.labels ?? {}), taints: spec?.taints, patch };
}

describe('mark-control-plane', () => {
  test.each([
    ['v1.36.2', ['control-plane', 'exclude-from-external-load-balancers'], [ROLE]],
    ['v1.24.0', ['control-plane', 'exclude-from-external-load-balancers'], [OLD_ROLE, ROLE]],
    ['v1.20.2', ['control-plane', 'master'], [OLD_ROLE]],
    ['v1.19.0', ['master'], [OLD_ROLE]],
  ])(
    'mark-control-plane sets the labels and taints of a control plane of %s, and keeps other taints',
    async (version, labels, taints) => {
      const marked = await run({ clusterConfiguration: { ...CONFIGURATION, kubernetesVersion: version } });
      expect(marked.error).toBeUndefined();
      expect(marked.labels.map((label) => label.split('/')[1])).toEqual(labels);
      expect(marked.taints).toEqual([...taints, NOT_READY]);
    },
  );

  test('mark-control-plane sets the taints of the configuration, or none', async () => {
    const own = { key: 'own', value: 'yes', effect: 'NoExecute' };
    expect((await run({ taints: [own] })).taints).toEqual([own, NOT_READY]);
    expect((await run({ taints: [] })).taints).toEqual([NOT_READY]);
  });

  test('changes nothing if the Node is marked already', async () => {
    const labels = { ...HOSTNAME, [ROLE.key]: '', 'node.kubernetes.io/exclude-from-external-load-balancers': '' };
    expect((await run({}, machineWith([ROLE], labels))).patch).toBeUndefined();
  });

  test('mark-control-plane adds no taint that the Node already has', async () => {
    expect((await run({}, machineWith([NOT_READY, ROLE]))).taints).toEqual([ROLE, NOT_READY]);
  });

  test('mark-control-plane reports a missing kubeconfig of the administrator', async () => {
    const { error } = await run({}, { ...machineWith(), files: {} as never });
    expect(error).toMatchObject({ code: 'E_KUBECONFIG', facts: { what: 'it does not exist' } });
  });
});
