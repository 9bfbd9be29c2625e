import { describe, expect, test } from 'vitest';
import type { Wait } from '../../engine/host/host.ts';
import { type NodeObject, nodeRef } from '../../engine/node/index.ts';
import { fail } from '../../engine/sdk/index.ts';
import { memoryHost } from '../../engine/testing/memory-host.ts';
import nodeReady from '../../phases/node-ready/index.ts';
import { authority, FakeCluster, issue, NOW, SERVER } from '../helpers/cluster.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';
import { glimpseOf } from '../helpers/node.ts';

const ca = authority();
const { pem, keyPem } = issue(ca);
const startedAt = NOW.toISOString();
const input = { server: SERVER, ca: ca.pem, certificate: pem, key: keyPem, nodeName: 'w1', startedAt };
const ANNOTATION = 'kubeadm.alpha.kubernetes.io/cri-socket';
const SOCKET = 'unix:///var/run/containerd/containerd.sock';
const withGate = (isOn: boolean) => ({
  kubernetesVersion: 'v1.34.1',
  featureGates: { NodeLocalCRISocket: isOn },
});
const PATCH = { kind: 'api', verb: 'patch', resource: 'nodes', name: 'w1', checked: 'sent' };

const node = ({
  ready = true,
  beat = NOW,
  annotated = false,
  labelled = true,
  version = 'v1.30.2',
} = {}): NodeObject => ({
  metadata: {
    name: 'w1',
    ...(labelled ? { labels: { 'kubernetes.io/hostname': 'w1' } } : {}),
    ...(annotated ? { annotations: { [ANNOTATION]: SOCKET } } : {}),
  },
  status: {
    nodeInfo: { kubeletVersion: version },
    conditions: [
      { type: 'Ready', status: ready ? 'True' : 'False', lastHeartbeatTime: beat.toISOString().replace(/\.\d+/, '') },
    ],
  },
});
function clusterWith(object: NodeObject): FakeCluster {
  const cluster = new FakeCluster(ca);
  cluster.put(nodeRef('w1'), object);
  return cluster;
}
const machine = ({ send, wait }: FakeCluster) => ({ now: () => NOW, send, wait });

itKeepsThePhaseContract(nodeReady, {
  input: { ...input, wait: 'ready' },
  machine: () => machine(clusterWith(node())),
  secrets: [glimpseOf(keyPem)],
});

/** Follows a Node through its states, as a watch would tell them; says how many of them were needed. */
async function follow(states: (NodeObject | undefined)[], overrides: Record<string, unknown> = {}) {
  let at = 0;
  const seen: string[] = [];
  const cluster = new FakeCluster(ca);
  const host = memoryHost({
    now: () => NOW,
    send: (request) => {
      seen.push(request.method);
      const current = states[at];
      if (current !== undefined) cluster.put(nodeRef('w1'), current);
      const answer = cluster.send(request);
      if (request.method === 'PATCH') states[at] = answer.body as NodeObject;
      return answer;
    },
    wait: async (condition: Wait) => {
      if (condition.kind !== 'object') throw new Error('waits for a Node');
      if (condition.from !== undefined && condition.done(condition.from)) return condition.from;
      for (; at < states.length; at++) if (condition.done(states[at])) return states[at];
      throw new Error('would wait forever');
    },
  });
  return { ...(await runPhase(nodeReady, { ...input, ...overrides }, host)), stateAt: () => at, seen };
}

describe('node-ready', () => {
  const late = new Date(NOW.getTime() - 5_000);

  test('node-ready does not wait with wait: started', async () => {
    const { error, changes, seen, result } = await follow([], { wait: 'started' });
    expect([error, changes, seen, result.steps[0]?.outputs]).toEqual([undefined, [], [], {}]);
  });

  test('node-ready waits until the Node has registered, and annotates its CRI socket', async () => {
    const { error, changes, stateAt, result } = await follow([
      undefined,
      node({ version: '' }),
      node({ labelled: false }),
      node({ ready: false }),
      node(),
    ]);
    expect(error).toBeUndefined();
    expect(stateAt()).toBe(3);
    expect(changes).toEqual([PATCH]);
    expect(result.steps[0]?.outputs).toEqual({ kubeletVersion: 'v1.30.2' });
  });

  test('node-ready waits until the Node is Ready with wait: ready', async () => {
    const { error, changes, stateAt } = await follow(
      [node({ ready: false }), node({ ready: false, annotated: true }), node({ annotated: true })],
      { wait: 'ready' },
    );
    expect([error, stateAt(), changes]).toEqual([undefined, 2, [PATCH]]);
  });

  test('node-ready ignores the heartbeat of an earlier kubelet', async () => {
    const old = node({ beat: late, annotated: true });
    for (const wait of ['registered', 'ready']) {
      const { error, stateAt } = await follow([old, old, node({ annotated: true })], { wait });
      expect([error, stateAt()]).toEqual([undefined, 2]);
    }
    const { stateAt } = await follow([old], { startedAt: undefined });
    expect(stateAt()).toBe(0); // without a start time, every heartbeat counts
  });

  test('node-ready accepts a heartbeat in whole seconds', async () => {
    const started = new Date(NOW.getTime() + 900).toISOString();
    expect((await follow([node({ annotated: true })], { startedAt: started })).error).toBeUndefined();
    const { error } = await follow([node({ annotated: true })], {
      startedAt: new Date(NOW.getTime() + 1_000).toISOString(),
    });
    expect(error).toEqual(new Error('would wait forever'));
  });

  test('node-ready accepts a Node without a Ready condition as registered', async () => {
    const fresh = { ...node(), status: { nodeInfo: { kubeletVersion: 'v1.30.2' } } };
    expect((await follow([fresh])).error).toBeUndefined();
  });

  test.each([
    ['none', {}, [PATCH]],
    ['the same', { annotated: true }, []],
  ])('node-ready replaces %s with the CRI socket', async (_, change, expected) => {
    expect((await follow([node(change)])).changes).toEqual(expected);
  });

  test.each([
    ['v1.20.2', { criSocket: '/run/x.sock' }, '/run/x.sock'],
    ['v1.20.2', {}, '/run/containerd/containerd.sock'],
    ['v1.24.0', { criSocket: '/run/x.sock' }, 'unix:///run/x.sock'],
    ['v1.33.9', {}, SOCKET],
    ['v1.34.0', { clusterConfiguration: withGate(false) }, SOCKET],
  ])(
    'node-ready annotates a Node of %s with the CRI socket in the form of that release (%j)',
    async (version, inputs, socket) => {
      const host = memoryHost(machine(clusterWith(node({ version }))));
      await runPhase(nodeReady, { ...input, ...inputs }, host);
      expect(host.sent.at(-1)).toMatchObject({
        method: 'PATCH',
        body: { metadata: { annotations: { [ANNOTATION]: socket } } },
      });
    },
  );

  test.each([
    ['v1.34.0', {}],
    ['v1.36.2', {}],
    ['v1.36.2', { clusterConfiguration: withGate(false) }],
    ['v1.32.0', { clusterConfiguration: withGate(true) }],
  ])('node-ready does not annotate a Node of %s if kubeadm would not (%j)', async (version, inputs) => {
    const { error, changes } = await runPhase(
      nodeReady,
      { ...input, ...inputs },
      memoryHost(machine(clusterWith(node({ version })))),
    );
    expect([error, changes]).toEqual([undefined, []]);
  });

  test("node-ready sends its requests with the node's own certificate", async () => {
    const host = memoryHost(machine(clusterWith(node())));
    await runPhase(nodeReady, input, host);
    expect(host.sent.map(({ as }) => as)).toEqual([
      { server: SERVER, ca: ca.pem, certificate: { pem, key: expect.anything() } },
    ]);
  });

  test.each([
    [403, 'E_API_FORBIDDEN'],
    [401, 'E_API_UNAUTHORIZED'],
  ])('node-ready fails with the error of an answer %i', async (status, code) => {
    const cluster = clusterWith(node());
    cluster.answers.set('PATCH /api/v1/nodes/w1', cluster.answer(status, {}));
    expect((await runPhase(nodeReady, input, memoryHost(machine(cluster)))).error).toMatchObject({ code });
  });
});

describe('a wait for the Node that times out', () => {
  const late = fail('E_STEP_TIME_LIMIT', { step: 'node-ready', limitMs: 6_000 });
  const witnessOf = async (node: NodeObject | undefined, values: Record<string, unknown> = {}) => {
    const wait = async (condition: Wait) => {
      if (condition.kind === 'object') condition.done(node);
      throw late;
    };
    const services = { kubelet: { lastError: 'E0101 Unable to register node "w1": no more than 63 characters' } };
    const host = memoryHost({ now: () => NOW, services, wait });
    return ((await runPhase(nodeReady, { ...input, ...values }, host)).error as { message: string }).message;
  };
  const LIMIT = 'step node-ready did not finish within its time limit of 6 s: ';
  const LAST = '; last error of the kubelet: E0101 Unable to register node "w1": no more than 63 characters';

  test('a wait for the Node that times out ends with the last error of the kubelet', async () => {
    expect(await witnessOf(undefined)).toBe(`${LIMIT}there is no Node w1 in the cluster${LAST}`);
  });

  test('a wait for the Node that times out does not call a Node of an earlier join not Ready', async () => {
    const old = node({ beat: new Date(NOW.getTime() - 3_600_000) });
    expect(await witnessOf(old)).toBe(`${LIMIT}Node w1 exists, and this kubelet has not written its status${LAST}`);
  });

  test('a wait for the Node that times out ends with the reason why the Node is not Ready', async () => {
    const reason = { reason: 'KubeletNotReady', message: 'cni plugin not initialized' };
    const waiting = node({ ready: false });
    const [condition] = waiting.status?.conditions ?? [];
    const found = {
      ...waiting,
      status: { ...waiting.status, conditions: [{ ...condition, ...reason }] },
    } as NodeObject;
    expect(await witnessOf(found, { wait: 'ready' })).toBe(
      `${LIMIT}Node w1 is not Ready: KubeletNotReady: cni plugin not initialized${LAST}`,
    );
  });
});
