/**
 * The tables of kubeadm 1.36's unit tests about what a kubelet gets. The files in kubeadm-tables/ name their sources. A
 * case that is marked `derived` goes one step further than kubeadm's own.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { configMapRef } from '../../engine/node/index.ts';
import { applyPatches } from '../../engine/node/patches.ts';
import { memoryHost } from '../../engine/testing/memory-host.ts';
import clusterConfig from '../../phases/cluster-config/index.ts';
import { type FlagInputs, kubeadmFlags } from '../../phases/kubelet-config/flags.ts';
import kubeletConfig from '../../phases/kubelet-config/index.ts';
import { FakeCluster, NOW, SERVER, TOKEN } from '../helpers/cluster.ts';
import { runPhase } from '../helpers/contract.ts';

interface Case {
  id: string;
}
const table = <T>(name: string): T =>
  JSON.parse(readFileSync(join(import.meta.dirname, 'kubeadm-tables', `${name}.json`), 'utf8'));

/** The value at `a.b.c`; null if it is absent. */
const valueAt = (document: unknown, path: string): unknown =>
  path.split('.').reduce((at, name) => (at as Record<string, unknown> | undefined)?.[name], document) ?? null;
const valuesAt = (document: unknown, paths: object = {}): object =>
  Object.fromEntries(Object.keys(paths).map((path) => [path, valueAt(document, path)]));

interface Defaults extends Case {
  resolved?: boolean;
  cluster: object;
  config: object;
  want: object;
}

describe('defaults of the KubeletConfiguration', () => {
  const { cases } = table<{ cases: Defaults[] }>('kubelet-defaults');
  test.each(cases)(
    'kubelet-config writes the defaults of kubeadm: $id',
    async ({ resolved = false, cluster: said, config, want }) => {
      const cluster = new FakeCluster();
      const put = (name: string, data: object) => cluster.put(configMapRef('kube-system', name), { data });
      put('kubeadm-config', { ClusterConfiguration: JSON.stringify({ kubernetesVersion: 'v1.36.0', ...said }) });
      put('kubelet-config', { kubelet: JSON.stringify({ kind: 'KubeletConfiguration', ...config }) });
      const services = { kubelet: {}, 'systemd-resolved': { active: resolved } };
      const files = { '/run/systemd/resolve/resolv.conf': '' };
      const host = memoryHost({
        now: () => NOW,
        directories: ['/etc', '/var/lib'],
        files,
        services,
        send: cluster.send,
      });
      const ca = cluster.ca.pem;
      const read = await runPhase(clusterConfig, { identity: { server: SERVER, ca, token: TOKEN } }, host);
      const names = { nodeName: 'w1', hostName: 'w1', kubeletVersion: 'v1.36.2' };
      const { error } = await runPhase(
        kubeletConfig,
        { ca, ...names, ...(read.result.steps[0]?.outputs as object) },
        host,
      );
      expect(error).toBeUndefined();
      const file = host.changes.find((change) => change.kind === 'file' && change.path.endsWith('/config.yaml'));
      const document: unknown = file?.kind === 'file' ? parse(String(file.content)) : undefined;
      expect(valuesAt(document, want)).toEqual(want);
    },
  );
});

describe('arguments of the kubelet', () => {
  const { cases, machine } = table<{ cases: (Case & { in: object; want: string[] })[]; machine: FlagInputs }>(
    'kubelet-flags',
  );
  test.each(cases)('kubelet-config writes the arguments of kubeadm for the kubelet: $id', ({ in: inputs, want }) => {
    const line = kubeadmFlags({ ...machine, ...inputs });
    expect(JSON.parse(line.slice('KUBELET_KUBEADM_ARGS='.length)).split(' ')).toEqual(want);
  });
});

interface Patches extends Case {
  files: Record<string, string> | null;
  base?: string;
  want: 'applied' | 'over' | 'error';
  has?: object;
}

describe('patches', () => {
  const { cases, base } = table<{ cases: Patches[]; base: string }>('patches');
  test.each(cases)(
    'a patch gives the result of kubeadm: $id: $want',
    async ({ files, base: more = '', want, has = {} }) => {
      const applied: string[] = [];
      const ports = {
        files: {
          stat: async (path: string) =>
            files === null ? undefined : { kind: path === '/p' ? ('directory' as const) : ('file' as const), mode: 0 },
          list: async () => Object.keys(files ?? {}).sort(),
          read: async (path: string) => Buffer.from(files?.[path.slice('/p/'.length)] ?? ''),
        },
        log: { info: (text: string) => void (text.startsWith('applied') && applied.push(text)), warn: () => undefined },
      };
      // The function calls no other function of the port.
      const patched = applyPatches(parse(base + more), '/p', ports as unknown as Parameters<typeof applyPatches>[2]);
      if (want === 'error') return expect(patched).rejects.toMatchObject({ code: 'E_PATCH' });
      expect(valuesAt(await patched, has)).toEqual(has);
      expect(applied.length > 0).toBe(want === 'applied');
    },
  );
});
