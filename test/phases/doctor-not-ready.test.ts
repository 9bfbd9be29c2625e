/** When a Node that is not Ready is a fault. */
import { expect, test } from 'vitest';
import type { MemoryMachine } from '../../engine/testing/memory-host.ts';
import { NOW } from '../helpers/cluster.ts';
import { joined, problems, ready } from '../helpers/doctor.ts';

const secondsAgo = (seconds: number): string => new Date(NOW.getTime() - seconds * 1_000).toISOString();
const node = (creationTimestamp: string, ...condition: Parameters<typeof ready>): MemoryMachine => ({
  send: () => ({ status: 200, body: { metadata: { creationTimestamp }, ...ready(...condition) }, clockSkewMs: 0 }),
});
const NO_NETWORK = ['False', 'KubeletNotReady', 'cni plugin not initialized'] as const;
const WAIT = 'kubectl --kubeconfig /etc/kubernetes/kubelet.conf wait --for=condition=Ready node/w1 --timeout=5m';
test.each<[string, MemoryMachine, Record<string, unknown>, string]>([
  [
    'a Node that has just registered',
    node(secondsAgo(12), ...NO_NETWORK),
    {},
    'w1 registered 12 s ago; not Ready yet: KubeletNotReady: cni plugin not initialized; it waits for a network plugin',
  ],
  [
    'an old Node of a machine that has just joined again',
    node(secondsAgo(86_400), 'False', 'KubeletNotReady', 'starting'),
    { joinedAt: secondsAgo(3) },
    'w1 registered 3 s ago; not Ready yet: KubeletNotReady: starting',
  ],
  [
    'a Node without conditions',
    node(secondsAgo(0), 'False'),
    {},
    'w1 registered 0 s ago; not Ready yet: the kubelet has not reported a reason',
  ],
])('%s is not a fault, and doctor prints the command that waits for it', async (_, change, input, what) => {
  expect(await problems(joined(change), input)).toEqual([{ check: 'node', state: 'note', what, next: WAIT }]);
});

test.each<[string, string, Parameters<typeof ready>]>([
  ['five minutes after it registered', secondsAgo(300), [...NO_NETWORK]],
  ['as soon as its kubelet no longer reports', secondsAgo(12), ['Unknown', 'NodeStatusUnknown']],
])('a Node that is not Ready is a fault %s', async (_, createdAt, condition) => {
  expect(await problems(joined(node(createdAt, ...condition)))).toMatchObject([{ check: 'node', state: 'problem' }]);
});
