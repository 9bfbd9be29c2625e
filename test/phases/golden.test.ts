/**
 * A join beside one of kubeadm. The folders in golden/ hold what kubeadm 1.20.2 and 1.36.2 found in a cluster and left
 * on a worker, with placeholders for certificates and tokens.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Change } from '../../engine/host/changes/index.ts';
import { type CsrObject, configMapRef, nodeRef } from '../../engine/node/index.ts';
import type { AnyPhase } from '../../engine/sdk/index.ts';
import { type MemoryHost, type MemoryMachine, memoryHost } from '../../engine/testing/memory-host.ts';
import clusterConfig from '../../phases/cluster-config/index.ts';
import kubeconfig from '../../phases/kubeconfig/index.ts';
import kubeletConfig from '../../phases/kubelet-config/index.ts';
import nodeReady from '../../phases/node-ready/index.ts';
import tlsBootstrap from '../../phases/tls-bootstrap/index.ts';
import { FakeCluster, NOW, TOKEN } from '../helpers/cluster.ts';
import { runPhase } from '../helpers/contract.ts';

const GOLDEN = join(import.meta.dirname, 'golden');
const SERVER = 'https://cluster.test:6443';
const KUBEADM = {
  '1.20': {
    version: 'v1.20.2',
    configMap: 'kubelet-config-1.20',
    usages: ['digital signature', 'key encipherment', 'client auth'],
    annotations: { 'kubeadm.alpha.kubernetes.io/cri-socket': '/run/containerd/containerd.sock' },
  },
  '1.36': {
    version: 'v1.36.2',
    configMap: 'kubelet-config',
    usages: ['digital signature', 'client auth'],
    annotations: undefined,
  },
} as const;
type Release = keyof typeof KUBEADM;

const golden = (release: Release, name: string): string => readFileSync(join(GOLDEN, release, name), 'utf8');

function clusterOf(release: Release): FakeCluster {
  const { version, configMap } = KUBEADM[release];
  const cluster = new FakeCluster();
  const put = (name: string, data: object) => cluster.put(configMapRef('kube-system', name), { data });
  put('kubeadm-config', { ClusterConfiguration: golden(release, 'cluster-configuration.yaml') });
  put(configMap, { kubelet: golden(release, 'kubelet-configuration.yaml') });
  cluster.put(nodeRef('w1'), {
    metadata: { name: 'w1', labels: { 'kubernetes.io/hostname': 'w1' } },
    status: { nodeInfo: { kubeletVersion: version } },
  });
  return cluster;
}

/** Runs the steps of a join that write, with the inputs that the default pipeline gives them. */
async function joined(release: Release, tlsBootstrapMode: 'direct' | 'kubelet' = 'direct') {
  const cluster = clusterOf(release);
  const host = machineIn(cluster);
  const step = async (phase: AnyPhase, input: Record<string, unknown>) => {
    const { error, result } = await runPhase(phase, input, host);
    if (error !== undefined) throw error;
    return (result.steps[0]?.outputs ?? {}) as Record<string, unknown>;
  };
  const kubeletVersion = KUBEADM[release].version;
  const identity = { server: SERVER, ca: cluster.ca.pem, token: TOKEN };
  const { clusterConfiguration, kubeletConfiguration } = await step(clusterConfig, { identity });
  const bootstrapped = await step(tlsBootstrap, { identity, nodeName: 'w1', kubeletVersion, tlsBootstrapMode });
  const { certificate, key } = bootstrapped as { certificate?: string; key?: { reveal(): string } };
  const own = key === undefined ? {} : { certificate, key: key.reveal() };
  await step(kubeconfig, { server: SERVER, ca: cluster.ca.pem, ...own, kubeletVersion });
  const names = { nodeName: 'w1', hostName: 'w1', kubeletVersion };
  await step(kubeletConfig, { ca: cluster.ca.pem, ...names, clusterConfiguration, kubeletConfiguration });
  if (key !== undefined)
    await step(nodeReady, { server: SERVER, ca: cluster.ca.pem, ...own, nodeName: 'w1', clusterConfiguration });
  const written = (text: string) => text.replaceAll(Buffer.from(cluster.ca.pem).toString('base64'), '<CERTIFICATE>');
  return { cluster, host, written };
}

/** A machine with containerd and the folders that a package of the kubelet brings. */
function machineIn({ send, wait }: FakeCluster): MemoryHost {
  const machine: MemoryMachine = {
    now: () => NOW,
    directories: ['/etc/kubernetes', '/var/lib/kubelet'],
    services: { kubelet: {} },
    files: { '/run/containerd/containerd.sock': '', '/var/run/containerd/containerd.sock': '' },
  };
  return memoryHost({ ...machine, send, wait });
}

const withoutDates = (text: string): string => text.replace(/\d{4}(-\d\d){5}/g, 'TIME');
const modeOf = (mode: number): string => mode.toString(8).padStart(4, '0');

/** A line as in tree.txt. */
function lineOf(change: Change): string[] {
  if (change.kind === 'directory') return [`d ${modeOf(change.mode)} ${change.path}`];
  if (change.kind === 'file') return [`f ${modeOf(change.mode)} ${change.path}`];
  return change.kind === 'link' ? [`l 0777 ${change.path} ${change.target}`] : [];
}

describe.each(Object.keys(KUBEADM) as Release[])('a join with a kubelet and a cluster of %s', (release) => {
  test('a join leaves the files, links and directories of kubeadm, with the same modes', async () => {
    const { host } = await joined(release);
    const tree = host.changes.flatMap(lineOf).map(withoutDates);
    expect(tree.sort()).toEqual(golden(release, 'tree.txt').trimEnd().split('\n').sort());
  });

  const names = readdirSync(join(GOLDEN, release, 'files'));
  test.each(names)('a join writes %s with the bytes of kubeadm', async (name) => {
    const { host, written } = await joined(release, name === 'bootstrap-kubelet.conf' ? 'kubelet' : 'direct');
    const file = host.changes.find((change) => change.kind === 'file' && change.path.endsWith(`/${name}`));
    const text = file?.kind === 'file' ? Buffer.from(file.content ?? '').toString() : undefined;
    expect(written(text ?? '').replace(TOKEN, '<TOKEN>')).toBe(golden(release, join('files', name)));
  });

  test('a join writes no file that kubeadm does not write', async () => {
    const { host } = await joined(release);
    const written = host.changes
      .filter(({ kind }) => kind === 'file')
      .flatMap((change) => ('path' in change ? change.path : []));
    const unknown = written.filter((path) => !/\/(ca\.crt|kubelet-client-[^/]*\.pem)$/.test(path));
    expect(
      unknown.filter((path) => !existsSync(join(GOLDEN, release, 'files', path.slice(path.lastIndexOf('/') + 1)))),
    ).toEqual([]);
  });

  test('a join requests the certificate with the usages of the kubelet', async () => {
    const { host } = await joined(release);
    const csr = host.sent.find(({ method, path }) => method === 'POST' && path.endsWith('certificatesigningrequests'));
    expect((csr?.body as CsrObject | undefined)?.spec.usages).toEqual(KUBEADM[release].usages);
  });

  test('a join leaves the annotations of kubeadm on the Node', async () => {
    const { cluster } = await joined(release);
    expect(cluster.objects.get('/api/v1/nodes/w1')?.metadata.annotations).toEqual(KUBEADM[release].annotations);
  });
});
