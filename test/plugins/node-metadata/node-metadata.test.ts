import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sdk } from '../../../bin/plugins/sdk.ts';
import { recordingHost } from '../../../engine/host/recording.ts';
import { nodeRef } from '../../../engine/node/index.ts';
import { objectPath } from '../../../engine/sdk/api.ts';
import { type MemoryMachine, memoryHost } from '../../../engine/testing/memory-host.ts';
import { nodeMetadata as make } from '../../../plugins/node-metadata/index.ts';
import { labelProblem } from '../../../plugins/node-metadata/rules.ts';
import { restrictNode } from '../../../plugins/sandbox/api/node-restriction.ts';
import { FakeCluster, issue, NOW, SERVER } from '../../helpers/cluster.ts';
import { itKeepsThePhaseContract, runPhase } from '../../helpers/contract.ts';
import { glimpseOf, heldIdentity } from '../../helpers/node.ts';

const nodeMetadata = make(sdk);
const DEFAULTS = { labels: {}, annotations: {}, taints: [] };
const LABELS = { 'example.com/rack': '7', 'node.kubernetes.io/pool': 'a' };

function joined(labels: Record<string, string> = {}) {
  const cluster = new FakeCluster();
  const identity = issue(cluster.ca);
  const machine = (): MemoryMachine => {
    cluster.put(nodeRef('w1'), { metadata: { name: 'w1', labels } });
    return {
      now: () => NOW,
      send: cluster.send,
      wait: cluster.wait,
      files: heldIdentity(SERVER, cluster.ca.pem, identity),
    };
  };
  return { machine, identity, metadata: () => cluster.objects.get(objectPath(nodeRef('w1')))?.metadata };
}

const kept = joined();
itKeepsThePhaseContract(nodeMetadata, {
  input: { labels: LABELS, annotations: { 'example.com/owner': 'platform' } },
  machine: kept.machine,
  secrets: [glimpseOf(kept.identity.keyPem)],
});

describe('node-metadata', () => {
  test('node-metadata sets what differs, and its undo removes only values that are still its own', async () => {
    const { machine, metadata } = joined({ other: 'stays' });
    const failing = {
      ...nodeMetadata,
      async run(...args: Parameters<typeof nodeMetadata.run>) {
        await nodeMetadata.run(...args);
        expect(metadata()).toMatchObject({ labels: { other: 'stays', ...LABELS }, annotations: { a: 'b' } });
        throw new Error('afterwards');
      },
    };
    const input = { ...DEFAULTS, labels: LABELS, annotations: { a: 'b' } };
    await runPhase(failing as never, input, memoryHost(machine()), { onFailure: 'undo' });
    expect(metadata()).toMatchObject({ labels: { other: 'stays' }, annotations: {} });
  });

  test('node-metadata changes nothing in a dry run', async () => {
    const { machine, metadata } = joined();
    const { changes } = await runPhase(
      nodeMetadata,
      { ...DEFAULTS, labels: LABELS },
      recordingHost(memoryHost(machine())),
    );
    expect(changes).toMatchObject([{ kind: 'api', verb: 'patch', resource: 'nodes', checked: 'dry-run' }]);
    expect(metadata()?.labels).toEqual({});
  });

  test('node-metadata refuses forbidden labels and taints before it sends a request', async () => {
    const host = memoryHost(joined().machine());
    const labels = { 'node-role.kubernetes.io/worker': '', 'node-restriction.kubernetes.io/a': 'b', ok: 'no spaces' };
    const { error } = await runPhase(nodeMetadata, { ...DEFAULTS, labels, taints: ['gpu:NoSchedule'] }, host);
    expect(error).toMatchObject({ code: 'E_NODE_METADATA', exitCode: 6 });
    for (const text of [
      'label node-role.kubernetes.io/worker is reserved',
      'a node is not allowed to set label node-restriction.kubernetes.io/a',
      'label ok cannot be "no spaces"',
      'taint gpu:NoSchedule: a node can set its taints only when it registers',
    ])
      expect((error as Error).message).toContain(text);
    expect(host.sent).toEqual([]);
  });

  test('node-metadata needs an identity', async () => {
    const { error } = await runPhase(nodeMetadata, { ...DEFAULTS, labels: LABELS }, memoryHost());
    expect(error).toMatchObject({ message: expect.stringContaining('put this step after node-ready') });
  });

  test('node-metadata allows exactly what an API server with NodeRestriction allows', () => {
    const user = { name: 'system:node:w1', groups: ['system:nodes'] };
    const domain = fc.constantFrom(
      ...[
        '',
        'example.com/',
        'kubernetes.io/',
        'k8s.io/',
        'node.kubernetes.io/',
        'a.node.kubernetes.io/',
        'kubelet.kubernetes.io/',
      ],
      ...[
        'node-restriction.kubernetes.io/',
        'node-role.kubernetes.io/',
        'topology.kubernetes.io/',
        'beta.kubernetes.io/',
      ],
      ...['failure-domain.beta.kubernetes.io/', 'xkubernetes.io/', 'a.k8s.io/'],
    );
    const name = fc.constantFrom('hostname', 'os', 'arch', 'zone', 'region', 'instance-type', 'a');
    fc.assert(
      fc.property(domain, name, (prefix, last) => {
        const key = `${prefix}${last}`;
        const node = (labels: Record<string, string>) => ({ metadata: { name: 'w1', labels } });
        let refused = false;
        try {
          restrictNode(user as never, 'nodes', node({ [key]: 'v' }) as never, node({}) as never);
        } catch {
          refused = true;
        }
        expect([key, labelProblem([key, 'v']) !== undefined]).toEqual([key, refused]);
      }),
    );
  });
});
