import { describe, expect, test } from 'vitest';
import type { Wait } from '../../engine/host/host.ts';
import { recordingHost } from '../../engine/host/recording.ts';
import { type NodeObject, nodeRef } from '../../engine/node/index.ts';
import { fail } from '../../engine/sdk/index.ts';
import { memoryHost } from '../../engine/testing/memory-host.ts';
import dynamicKubeletConfig from '../../phases/dynamic-kubelet-config/index.ts';
import { authority, FakeCluster, issue, NOW, SERVER } from '../helpers/cluster.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';
import { portsOn } from '../helpers/machine.ts';
import { glimpseOf, heldIdentity } from '../helpers/node.ts';

const ca = authority();
const { pem, keyPem } = issue(ca);
const identity = { server: SERVER, ca: ca.pem, certificate: pem, key: keyPem, nodeName: 'w1' };
const configSource = {
  configMap: { namespace: 'kube-system', name: 'kubelet-config-1.20', kubeletConfigKey: 'kubelet' },
};
const input = { ...identity, configSource };
const assigned = { configMap: { ...configSource.configMap, uid: 'u', resourceVersion: '7' } };
const PATCH = { kind: 'api', verb: 'patch', resource: 'nodes', name: 'w1', checked: 'sent' };

/** A Node whose kubelet does what `kubelet` says once it is waited for. */
function joined(
  node: Partial<NodeObject> = {},
  kubelet: Partial<NodeObject>[] = [{ status: { config: { assigned } } }],
) {
  const cluster = new FakeCluster(ca);
  cluster.put(nodeRef('w1'), node);
  const wait = async (condition: Wait): Promise<unknown> => {
    if (condition.kind !== 'object') throw new Error('waits for a Node');
    const there = cluster.objects.get('/api/v1/nodes/w1') as NodeObject;
    for (const now of [condition.from, there, ...kubelet.map((change) => ({ ...there, ...change }))])
      if (now !== undefined && condition.done(now)) return now;
    throw new Error('would wait forever');
  };
  const files = heldIdentity(SERVER, ca.pem, { pem, keyPem });
  return { cluster, host: memoryHost({ now: () => NOW, files, send: cluster.send, wait }) };
}
const sourceOf = (cluster: FakeCluster) => (cluster.objects.get('/api/v1/nodes/w1') as NodeObject).spec?.configSource;

itKeepsThePhaseContract(dynamicKubeletConfig, {
  input,
  machine: () => {
    const { cluster } = joined();
    return {
      now: () => NOW,
      send: cluster.send,
      wait: async (condition) => {
        const found = await cluster.wait({ ...condition, done: () => true } as Wait);
        return { ...(found as object), status: { config: { assigned } } };
      },
    };
  },
  secrets: [glimpseOf(keyPem)],
});

describe('dynamic-kubelet-config', () => {
  test('dynamic-kubelet-config sends no request if the gate is off', async () => {
    const { host } = joined();
    const { error, changes, result } = await runPhase(dynamicKubeletConfig, identity, host);
    expect([error, changes, host.sent]).toEqual([undefined, [], []]);
    expect(result.steps[0]?.notes).toEqual([
      { level: 'info', text: 'nothing to do: the feature gate DynamicKubeletConfig is off' },
    ]);
  });

  test('dynamic-kubelet-config sets the configSource and waits until the kubelet has assigned it', async () => {
    const kubelet = [{}, { status: { config: { error: 'not yet' } } }, { status: { config: { assigned } } }];
    const { cluster, host } = joined({}, kubelet);
    const { error, changes } = await runPhase(dynamicKubeletConfig, input, host);
    expect([error, changes]).toEqual([undefined, [PATCH]]);
    expect(sourceOf(cluster)).toEqual(configSource);
    expect(host.sent.map(({ method, as, body }) => [method, as, body])).toEqual([
      [
        'PATCH',
        { server: SERVER, ca: ca.pem, certificate: { pem, key: expect.anything() } },
        { spec: { configSource } },
      ],
    ]);
  });

  test('dynamic-kubelet-config waits for a configSource that is set already, without setting it', async () => {
    const { host } = joined({ spec: { configSource } });
    const { error, changes } = await runPhase(dynamicKubeletConfig, input, host);
    expect([error, changes]).toEqual([undefined, []]);
  });

  test.each([
    ['another ConfigMap', { configMap: { ...configSource.configMap, name: 'mine' } }],
    ['another key', { configMap: { ...configSource.configMap, kubeletConfigKey: 'mine' } }],
    ['the old shape', { configMapRef: { namespace: 'kube-system', name: 'kubelet-config-1.20', uid: 'u' } }],
  ])('dynamic-kubelet-config replaces %s', async (_, before) => {
    const { cluster, host } = joined({ spec: { configSource: before } });
    const { error, changes } = await runPhase(dynamicKubeletConfig, input, host);
    expect([error, changes]).toEqual([undefined, [PATCH]]);
    expect(sourceOf(cluster)).toEqual(configSource);
  });

  test('dynamic-kubelet-config does not accept another assigned configSource', async () => {
    const other = { configMap: { ...assigned.configMap, name: 'mine' } };
    const { host } = joined({}, [{ status: { config: { assigned: other } } }]);
    expect((await runPhase(dynamicKubeletConfig, input, host)).error).toEqual(new Error('would wait forever'));
  });

  test('dynamic-kubelet-config does not wait for a Node of 1.8 to 1.10, which reports no status', async () => {
    const old = { configMapRef: { namespace: 'kube-system', name: 'kubelet-base-config-1.9', uid: 'u' } };
    const { cluster, host } = joined({}, []);
    expect((await runPhase(dynamicKubeletConfig, { ...identity, configSource: old }, host)).error).toBeUndefined();
    expect(sourceOf(cluster)).toEqual(old);
  });

  test('dynamic-kubelet-config reports a denial by NodeRestriction, with the command to run', async () => {
    const { cluster, host } = joined();
    const message =
      'nodes "w1" is forbidden: node "w1" is not allowed to update configSource to a new non-nil configSource';
    cluster.answers.set('PATCH /api/v1/nodes/w1', cluster.answer(403, { message }));
    const { error } = await runPhase(dynamicKubeletConfig, input, host);
    expect(error).toMatchObject({
      code: 'E_DYNAMIC_CONFIG_FORBIDDEN',
      facts: { node: 'w1' },
      hint: expect.stringContaining(
        `kubectl patch node w1 -p '{"spec":{"configSource":{"configMap":{"namespace":"kube-system","name":"kubelet-config-1.20","kubeletConfigKey":"kubelet"}}}}'`,
      ),
    });
  });

  test('dynamic-kubelet-config reports any other refusal with its own error', async () => {
    const { cluster, host } = joined();
    cluster.answers.set('PATCH /api/v1/nodes/w1', cluster.answer(403, { message: 'no such user' }));
    expect((await runPhase(dynamicKubeletConfig, input, host)).error).toMatchObject({ code: 'E_API_FORBIDDEN' });
  });

  test('dynamic-kubelet-config reports a server that silently ignores the configSource', async () => {
    const { cluster, host } = joined();
    cluster.answers.set('PATCH /api/v1/nodes/w1', cluster.answer(200, { metadata: { name: 'w1' }, spec: {} }));
    expect((await runPhase(dynamicKubeletConfig, input, host)).error).toMatchObject({
      code: 'E_DYNAMIC_CONFIG_GONE',
      facts: { server: SERVER },
    });
  });

  test("dynamic-kubelet-config reports the kubelet's error if it does not use the configSource in time", async () => {
    const stopped = new AbortController();
    const { cluster } = joined();
    const host = memoryHost({
      send: cluster.send,
      wait: async (condition) => {
        if (condition.kind !== 'object') throw new Error('waits for a Node');
        const there = cluster.objects.get('/api/v1/nodes/w1') as NodeObject;
        if (condition.done({ ...there, status: { config: { error: 'failed to sync' } } })) return there;
        stopped.abort(fail('E_STEP_TIME_LIMIT', { step: 'a', limitMs: 1 }));
        throw stopped.signal.reason;
      },
    });
    const { ports } = portsOn(host, dynamicKubeletConfig.effects, { signal: stopped.signal });
    const attempt = dynamicKubeletConfig.run(ports, { ...input, key: {} as never });
    await expect(attempt).rejects.toMatchObject({
      code: 'E_DYNAMIC_CONFIG_IGNORED',
      message: expect.stringMatching(/: failed to sync$/),
      exitCode: 7,
    });
  });

  test('dynamic-kubelet-config predicts the change in a dry run', async () => {
    const { cluster, host } = joined({ spec: {} });
    const { error, changes } = await runPhase(dynamicKubeletConfig, input, recordingHost(host));
    expect([error, changes]).toEqual([undefined, [{ ...PATCH, checked: 'dry-run' }]]);
    expect(sourceOf(cluster)).toBeUndefined();
  });
});

describe('undo of dynamic-kubelet-config', () => {
  const undo = async ({ cluster, host }: ReturnType<typeof joined>, inputs: object = { configSource }) => {
    const { ports, notes } = portsOn(host, dynamicKubeletConfig.effects);
    await dynamicKubeletConfig.undo?.(ports, { ...identity, ...inputs, key: {} as never }, []);
    return { notes, source: sourceOf(cluster), sent: host.sent.map(({ method, body }) => [method, body]) };
  };

  test('the undo of dynamic-kubelet-config clears the configSource that the run set', async () => {
    const { notes, sent } = await undo(joined({ spec: { configSource } }));
    expect([notes, sent]).toEqual([
      [],
      [
        ['GET', undefined],
        ['PATCH', { spec: { configSource: null } }],
      ],
    ]);
  });

  test.each([
    [
      'a configSource that another user has set since',
      { spec: { configSource: { configMap: { name: 'mine' } } } },
      { configSource },
    ],
    ['a Node without one', {}, { configSource }],
    ['the configSource if the gate was off', { spec: { configSource } }, {}],
  ])('the undo of dynamic-kubelet-config keeps %s', async (_, node, inputs) => {
    const { sent } = await undo(joined(node), inputs);
    expect(sent.filter(([method]) => method === 'PATCH')).toEqual([]);
  });

  test('the undo of dynamic-kubelet-config warns if the cluster does not answer', async () => {
    const scene = joined({ spec: { configSource } });
    scene.cluster.answers.set('GET /api/v1/nodes/w1', scene.cluster.answer(503, { message: 'starting' }));
    expect((await undo(scene)).notes).toEqual([
      `warn: could not remove spec.configSource from Node w1 (${SERVER} cannot get nodes w1 at the moment (HTTP 503): starting)`,
    ]);
  });
});
