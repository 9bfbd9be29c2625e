/** A kubelet never starts a static Pod if its Node does not report yet what the Pod requests. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Wait } from '../../engine/host/host.ts';
import { memoryHost } from '../../engine/testing/memory-host.ts';
import etcdJoin from '../../phases/etcd-join/index.ts';
import { runPhase } from '../helpers/contract.ts';
import { input, rolesOf, scene } from '../helpers/etcd.ts';

const MANIFEST = '/etc/kubernetes/manifests/etcd.yaml';
const { signal } = new AbortController();

test.each([
  ['v1.21.14', ['no storage', 'storage']],
  ['v1.22.0', []],
])('a cluster of %s: the manifest is written when the Node reports the storage it requests', async (release, looks) => {
  const stage = scene();
  const host = memoryHost({ ...stage.machine, wait: storageLater });
  const seen: string[] = [];
  async function storageLater(condition: Wait): Promise<unknown> {
    if (condition.kind !== 'object') throw new Error(condition.kind);
    for (const [said, allocatable] of Object.entries({ 'no storage': {}, storage: { 'ephemeral-storage': '1' } })) {
      await sleep(20);
      expect(await host.read<'file'>({ kind: 'file', path: MANIFEST }, signal)).toBeUndefined();
      expect(rolesOf(stage.etcd)).toEqual(['cp1 voter']);
      seen.push(said);
      const node = { metadata: { name: condition.ref.name }, status: { allocatable } };
      if (condition.done(node)) return node;
    }
    throw new Error('would wait forever');
  }
  const clusterConfiguration = { ...input.clusterConfiguration, kubernetesVersion: release };
  const { error } = await runPhase(etcdJoin, { ...input, clusterConfiguration }, host);
  expect([error, seen]).toEqual([undefined, looks]);
  expect(rolesOf(stage.etcd)).toEqual(['cp1 voter', 'cp2 voter']);
});
