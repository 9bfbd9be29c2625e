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
const machine = (waits: Wait[] = [], files: Record<string, string> = {}) => ({
  now: () => NOW,
  files: { '/etc/kubernetes/admin.conf': adminConf(ca.pem, admin), ...files },
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
  test('wait-control-plane asks as the administrator, and waits until all three components are healthy', async () => {
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

  const urlsWith = async (manifests: Record<string, string[]>) => {
    const files = Object.entries(manifests).map(([name, command]) => [
      `/etc/kubernetes/manifests/${name}.yaml`,
      JSON.stringify({ spec: { containers: [{ name, command: [name, ...command] }] } }),
    ]);
    const waits: Wait[] = [];
    const { error } = await runPhase(waitControlPlane, input, memoryHost(machine(waits, Object.fromEntries(files))));
    expect(error).toBeUndefined();
    return waits.slice(1).map((wait) => (wait as Extract<Wait, { kind: 'healthy' }>).url);
  };

  test('wait-control-plane asks where the manifests let the components listen: the last value counts', async () => {
    const urls = await urlsWith({
      'kube-controller-manager': ['--bind-address=127.0.0.1', '--bind-address=10.0.0.7', '--secure-port=10300'],
      'kube-scheduler': ['--bind-address=fd00:0::7'],
    });
    expect(urls).toEqual(['https://10.0.0.7:10300/healthz', 'https://[fd00::7]:10259/healthz']);
  });

  test.each([
    ['all IPv4 addresses', ['--bind-address=0.0.0.0'], 'https://127.0.0.1:10257/healthz'],
    ['all addresses', ['--bind-address=::'], 'https://[::1]:10257/healthz'],
    ['something that is not an address', ['--bind-address=lo', '--secure-port=x'], 'https://127.0.0.1:10257/healthz'],
  ])('wait-control-plane asks the loopback address of a component that listens at %s', async (_, command, url) => {
    expect((await urlsWith({ 'kube-controller-manager': command }))[0]).toBe(url);
  });
});
