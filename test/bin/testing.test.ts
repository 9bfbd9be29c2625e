/** The parts of `@joinery/cli/testing` that the engine's own tests do not use. */
import { expect, onTestFinished, test } from 'vitest';
import {
  memoryHost,
  mortalStore,
  pluginIn,
  runPhase,
  SimulatedTime,
  sandboxCluster,
  undoPhase,
} from '../../bin/testing.ts';
import { fields, type NodeObject } from '../../engine/node/index.ts';
import { apiCalls, type Cluster, definePhase, type Secret } from '../../engine/sdk/index.ts';
import { pluginFolder } from '../engine/plugins/folder.ts';
import { thrownBy } from '../helpers/errors.ts';

const label = definePhase({
  name: 'label',
  summary: 'Label the Node',
  input: {
    type: 'object',
    required: ['server', 'ca', 'certificate', 'key'],
    properties: { server: fields.server, ca: fields.ca, certificate: fields.certificate, key: fields.key },
  },
  output: { type: 'object' },
  effects: [apiCalls(['get', 'patch'], 'nodes', 'its label')],
  irreversible: 'a label stays',
  async run({ kube }, { server, ca, certificate: pem, key }: Cluster & { certificate: string; key: Secret }) {
    const ref = { apiVersion: 'v1', resource: 'nodes', name: 'w1' };
    const api = kube.as({ server, ca, certificate: { pem, key } });
    const { metadata } = (await api.get<NodeObject>(ref)) ?? { metadata: {} };
    if (metadata.labels?.rack !== '7') await api.patch(ref, { metadata: { labels: { rack: '7' } } });
    return {};
  },
});

test('a phase on a machine in memory calls the API of a cluster in the same process', async () => {
  const cluster = await sandboxCluster();
  onTestFinished(() => cluster.close());
  const { server, ca, sandbox } = cluster;
  sandbox.store.create('nodes', { metadata: { name: 'w1' } });
  const input = { server, ca, ...cluster.identityOf('system:node:w1', ['system:nodes']) };
  const run = () => runPhase(label, input, memoryHost(cluster.machine()));
  const labels = () => sandbox.store.get('nodes', 'w1')?.metadata.labels;
  expect(await run()).toMatchObject({ error: undefined, changes: [{ kind: 'api', verb: 'patch', name: 'w1' }] });
  expect(labels()).toMatchObject({ rack: '7' });
  expect(await run()).toMatchObject({ error: undefined, changes: [] });
  const stranger = { ...input, ...cluster.identityOf('stranger', []) };
  expect((await runPhase(label, stranger, memoryHost(cluster.machine()))).error).toMatchObject({
    code: 'E_API_FORBIDDEN',
  });
});

test('a plugin under development loads from its folder, and its run can be killed, resumed and undone', async () => {
  const plugin = await pluginIn(await pluginFolder());
  expect(await thrownBy(() => plugin.phase('other'))).toMatchObject({ message: 'acme has no phase other' });
  const [phase, host, store] = [plugin.phase('acme'), memoryHost({ directories: ['/etc'] }), mortalStore(1)];
  void runPhase(phase, {}, host, { store, clock: new SimulatedTime() });
  expect(await store.dead).toBe('dead');
  const journal = store.survivor(host.now);
  if (journal === undefined) throw new Error('nothing was written');
  expect((await runPhase(phase, {}, host, { journal })).result.status).toBe('succeeded');
  expect((await undoPhase(phase, host, journal)).status).toBe('succeeded');
  const { signal } = new AbortController();
  expect(await host.read<'stat'>({ kind: 'stat', path: '/etc/motd' }, signal)).toBeUndefined();
});
