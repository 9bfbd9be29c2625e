/**
 * The files of a control plane beside those of kubeadm. The folders golden/control-plane-* hold what kubeadm 1.20.2 and
 * 1.36.2 left on a machine, with placeholders for certificates and keys.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readKubeconfig } from '../../engine/node/index.ts';
import { readCertificates } from '../../engine/pki/index.ts';
import { parseYaml } from '../../engine/sdk/index.ts';
import { type MemoryHost, memoryHost } from '../../engine/testing/memory-host.ts';
import certs from '../../phases/control-plane-certs/index.ts';
import kubeconfigs from '../../phases/control-plane-kubeconfig/index.ts';
import manifests from '../../phases/control-plane-manifests/index.ts';
import etcdJoin from '../../phases/etcd-join/index.ts';
import { certificateText } from '../helpers/certificate-text.ts';
import { DAY_MS, NOW } from '../helpers/cluster.ts';
import { runPhase } from '../helpers/contract.ts';
import { ADDRESS, controlPlaneMachine, PKI } from '../helpers/control-plane.ts';
import { input as etcdInput, etcdPodOf, scene, unstarted, voter } from '../helpers/etcd.ts';

const golden = (release: string, name: string): string =>
  readFileSync(join(import.meta.dirname, 'golden', `control-plane-${release}`, name), 'utf8');

async function joined(release: string): Promise<MemoryHost> {
  const host = memoryHost(controlPlaneMachine());
  const clusterConfiguration = parseYaml(golden(release, 'cluster-configuration.yaml')) as object;
  const input = { clusterConfiguration, advertiseAddress: ADDRESS };
  for (const [phase, more] of [
    [certs, { nodeName: 'cp2' }],
    [kubeconfigs, {}],
    [manifests, {}],
  ] as const) {
    const { error } = await runPhase(phase, { ...input, ...more }, host);
    if (error !== undefined) throw error;
  }
  return host;
}

const textOf = async (host: MemoryHost, path: string): Promise<string> =>
  (await host.read<'file'>({ kind: 'file', path }, new AbortController().signal))?.toString() ?? '';

const CERTIFICATES = [
  'apiserver',
  'apiserver-kubelet-client',
  'apiserver-etcd-client',
  'front-proxy-client',
  'etcd/server',
  'etcd/peer',
  'etcd/healthcheck-client',
];

describe.each(['1.20', '1.36'])('a control plane of a cluster of %s', (release) => {
  const host = joined(release);

  test.each(['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'])(
    'the manifest of %s has the bytes of kubeadm',
    async (name) => {
      const written = await textOf(await host, `/etc/kubernetes/manifests/${name}.yaml`);
      expect(written).toBe(golden(release, `manifests/${name}.yaml`));
    },
  );

  test('the manifest of etcd has the bytes of kubeadm', async () => {
    const image = release === '1.20' ? 'k8s.gcr.io/etcd:3.4.13-0' : 'registry.k8s.io/etcd:3.6.8-0';
    // In the order of etcd, which is that of the IDs.
    const members = release === '1.20' ? [voter(1), unstarted(2)] : [unstarted(2), voter(1)];
    const node = { metadata: { name: 'cp2' }, status: { allocatable: { 'ephemeral-storage': '1Gi' } } };
    const machine = memoryHost({ ...scene({ members }, [etcdPodOf(1, image)]).machine, wait: async () => node });
    const clusterConfiguration = parseYaml(golden(release, 'cluster-configuration.yaml')) as object;
    const { error } = await runPhase(etcdJoin, { ...etcdInput, clusterConfiguration }, machine);
    expect(error).toBeUndefined();
    const written = await textOf(machine, '/etc/kubernetes/manifests/etcd.yaml');
    expect(written).toBe(golden(release, 'manifests/etcd.yaml'));
  });

  test.each(CERTIFICATES)('the certificate %s has the subject, usages and names of kubeadm', async (name) => {
    const expected = golden(release, `certificates/${name}.txt`).replace(/^not.*\n/gm, '');
    const written = certificateText(await textOf(await host, `${PKI}/${name}.crt`));
    // kubeadm 1.20 does not say that a certificate is not that of a CA.
    const compared = release === '1.20' ? written.replace(/X509v3 Basic.*\n.*\n/, '') : written;
    expect(compared).toBe(expected);
  });

  test('certificates are valid for one year, from the time that this kubeadm chooses', async () => {
    const [leaf] = readCertificates(await textOf(await host, `${PKI}/apiserver.crt`));
    const start = release === '1.36' ? NOW.getTime() - 300_000 : NOW.getTime() - DAY_MS;
    expect([leaf?.notBefore.getTime(), leaf?.notAfter.getTime()]).toEqual([start, NOW.getTime() + 365 * DAY_MS]);
  });

  test.each(['admin', 'controller-manager', 'scheduler'])('%s.conf has the text of kubeadm', async (name) => {
    const text = golden(release, `${name}.conf`);
    const expected = text.replace(/^#.*\n/gm, '');
    const written = await textOf(await host, `/etc/kubernetes/${name}.conf`);
    const masked = written
      .replace(/(certificate-authority-data|client-certificate-data): .*/g, '$1: <CERTIFICATE>')
      .replace(/client-key-data: .*/, 'client-key-data: <RSA PRIVATE KEY>');
    expect(masked).toBe(expected);
    const data = readKubeconfig(written).users[0]?.user['client-certificate-data'] as string;
    const client = certificateText(Buffer.from(data, 'base64').toString());
    const subject = text.slice(text.indexOf('#    client-certificate-data')).match(/subject=.*/)?.[0];
    expect(client.split('\n')[0]).toBe(subject);
  });

  test('every key has the mode 0600, and every certificate 0644', async () => {
    const modes = (await host).changes.flatMap((change) =>
      change.kind === 'file' && change.path.startsWith(PKI)
        ? [`${change.path.slice(-3)} ${change.mode.toString(8)}`]
        : [],
    );
    expect([...new Set(modes)].sort()).toEqual(['crt 644', 'key 600']);
    expect(modes).toHaveLength(2 * CERTIFICATES.length);
  });
});
