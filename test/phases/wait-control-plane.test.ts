import { describe, expect, test } from 'vitest';
import { type Wait, waitText } from '../../engine/host/host.ts';
import { memoryHost } from '../../engine/testing/memory-host.ts';
import waitControlPlane from '../../phases/wait-control-plane/index.ts';
import { authority, FakeCluster, issue, NOW } from '../helpers/cluster.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';
import { ADDRESS, adminConf } from '../helpers/control-plane.ts';
import { glimpseOf } from '../helpers/node.ts';

const ca = authority();
const admin = issue(ca, { user: 'kubernetes-admin', groups: ['kubeadm:cluster-admins'] });
const input = { advertiseAddress: ADDRESS };
const machine = (waits: Wait[] = []) => ({
  now: () => NOW,
  files: { '/etc/kubernetes/admin.conf': adminConf(ca.pem, admin) },
  send: new FakeCluster(ca).send,
  wait: async (condition: Wait) => void waits.push(condition),
});

itKeepsThePhaseContract(waitControlPlane, {
  input,
  machine: () => machine(),
  secrets: [glimpseOf(admin.keyPem)],
  changesNothing: true,
});

describe('wait-control-plane', () => {
  test('asks the API server as the administrator, and waits until all three components are healthy', async () => {
    const waits: Wait[] = [];
    const host = memoryHost(machine(waits));
    const { error } = await runPhase(waitControlPlane, input, host);
    expect(error).toBeUndefined();
    expect(host.sent.map(({ server, path }) => `${server}${path}`)).toEqual([`https://${ADDRESS}:6443/version`]);
    expect(waits.map(waitText)).toEqual([
      `kube-apiserver to answer at https://${ADDRESS}:6443/livez`,
      'kube-controller-manager to answer at https://127.0.0.1:10257/healthz',
      'kube-scheduler to answer at https://127.0.0.1:10259/healthz',
    ]);
  });
});
