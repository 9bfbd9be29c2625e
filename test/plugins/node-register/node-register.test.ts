import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { sdk } from '../../../bin/plugins/sdk.ts';
import { recordingHost } from '../../../engine/host/recording.ts';
import { nodeRef, paths } from '../../../engine/node/index.ts';
import { objectPath } from '../../../engine/sdk/api.ts';
import { type MemoryMachine, memoryHost } from '../../../engine/testing/memory-host.ts';
import { nodeRegister as make } from '../../../plugins/node-register/index.ts';
import { FakeCluster, issue, NOW, SERVER } from '../../helpers/cluster.ts';
import { itKeepsThePhaseContract, runPhase } from '../../helpers/contract.ts';
import { glimpseOf, heldIdentity } from '../../helpers/node.ts';

const nodeRegister = make(sdk);

function joining(files: Record<string, string> = {}, unit = '[Service]\nExecStart=/usr/bin/kubelet\n') {
  const cluster = new FakeCluster();
  const identity = issue(cluster.ca);
  const machine = (): MemoryMachine => {
    cluster.objects.clear();
    return {
      now: () => NOW,
      services: { kubelet: { unit } },
      send: cluster.send,
      wait: cluster.wait,
      files: {
        ...heldIdentity(SERVER, cluster.ca.pem, identity),
        '/proc/cpuinfo': 'processor\t: 0\nmodel name\t: x\nprocessor\t: 1\n',
        '/proc/meminfo': 'MemTotal:        8152400 kB\nMemFree: 1 kB\n',
        ...files,
      },
    };
  };
  const node = (): unknown => cluster.objects.get(objectPath(nodeRef('w1')));
  return { cluster, machine, identity, node };
}

const kept = joining();
itKeepsThePhaseContract(nodeRegister, {
  input: {},
  machine: kept.machine,
  secrets: [glimpseOf(kept.identity.keyPem)],
});

describe('node-register', () => {
  test('node-register creates the Node as its kubelet would: not Ready, with a capacity', async () => {
    const { machine, node } = joining({
      '/var/lib/kubelet/kubeadm-flags.env':
        'KUBELET_KUBEADM_ARGS="--register-with-taints=gpu=a:NoSchedule,slow:PreferNoSchedule"\n',
      '/etc/default/kubelet':
        '#KUBELET_EXTRA_ARGS=--node-labels=no=no\nKUBELET_EXTRA_ARGS="--node-labels=zone=a,rack=7 --v 2"\n',
      [paths.kubeletConfig]:
        'maxPods: 42\nproviderID: acme://w1\nregisterWithTaints: [{key: no, effect: NoSchedule}]\n',
    });
    const { error, result } = await runPhase(nodeRegister, {}, memoryHost(machine()));
    expect([error, result.steps[0]?.outputs]).toEqual([undefined, { created: true }]);
    const capacity = { cpu: '2', memory: '8152400Ki', pods: '42' };
    expect(node()).toMatchObject({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: {
        name: 'w1',
        labels: { 'kubernetes.io/hostname': 'w1', zone: 'a', rack: '7' },
        annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' },
      },
      spec: {
        providerID: 'acme://w1',
        taints: [
          { key: 'gpu', value: 'a', effect: 'NoSchedule' },
          { key: 'slow', effect: 'PreferNoSchedule' },
        ],
      },
      status: {
        capacity,
        allocatable: capacity,
        conditions: [{ type: 'Ready', status: 'False', lastHeartbeatTime: '2026-03-04T05:06:07Z' }],
      },
    });
  });

  test('node-register uses the taints of the configuration if the flags contain no taints', async () => {
    const { machine, node } = joining({
      [paths.kubeletConfig]:
        'enableControllerAttachDetach: false\nregisterWithTaints: [{key: a, effect: NoSchedule}]\n',
    });
    await runPhase(nodeRegister, {}, memoryHost(machine()));
    expect(node()).toMatchObject({
      metadata: { annotations: {} },
      spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] },
    });
  });

  test.each([
    [
      '--cloud-provider=external',
      'its flag --cloud-provider=external means that the cloud provider must see it register uninitialized',
    ],
    ['--register-node=false', 'its flag --register-node=false turns registration off'],
  ])('node-register refuses a kubelet with the setting %s', async (flag, why) => {
    const { machine, node } = joining({}, `[Service]\nExecStart=/usr/bin/kubelet ${flag}\n`);
    const { error } = await runPhase(nodeRegister, {}, memoryHost(machine()));
    expect(error).toMatchObject({
      code: 'E_NODE_REGISTER',
      message: `cannot create the Node for the kubelet: ${why}`,
    });
    expect(node()).toBeUndefined();
  });

  test('node-register does not change an existing Node', async () => {
    const { machine, cluster, node } = joining();
    const host = memoryHost(machine());
    cluster.put(nodeRef('w1'), { status: { capacity: { cpu: '8' } } });
    const { result } = await runPhase(nodeRegister, {}, host);
    expect(result.steps[0]?.outputs).toEqual({ created: false });
    expect(node()).toMatchObject({ status: { capacity: { cpu: '8' } } });
  });

  test('node-register sends nothing if the kubelet is already running', async () => {
    const host = memoryHost({ ...joining().machine(), services: { kubelet: { active: true } } });
    const { result } = await runPhase(nodeRegister, {}, host);
    expect([result.steps[0]?.outputs, host.sent]).toEqual([{ created: false }, []]);
  });

  test('node-register does nothing without an identity, and stores nothing in a dry run', async () => {
    const { machine, node } = joining();
    const without = await runPhase(nodeRegister, {}, memoryHost());
    expect(without.result.steps[0]).toMatchObject({ status: 'succeeded', outputs: { created: false }, changes: [] });
    await runPhase(nodeRegister, {}, recordingHost(memoryHost(machine())));
    expect(node()).toBeUndefined();
  });

  test('node-register declares in its manifest what its phase may do', () => {
    const manifest = JSON.parse(
      readFileSync(new URL('../../../plugins/node-register/package.json', import.meta.url), 'utf8'),
    );
    expect(manifest.joinery.effects).toEqual({ api: [{ verbs: ['create'], resource: 'nodes' }] });
  });
});
