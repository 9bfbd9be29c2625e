/** The identity a kubelet holds on this machine, if any. */
import { fitsKey, pemBlocks, readCertificates, toPem } from '../pki/index.ts';
import { fail, isJoinError } from '../sdk/errors.ts';
import type { Files, Ports } from '../sdk/ports.ts';
import { Secret } from '../sdk/secret.ts';
import { readKubeconfig } from './kubeconfig.ts';
import { nodeRef } from './objects.ts';
import { paths } from './paths.ts';

const NODE_USER = 'system:node:';
export const nodeUser = (nodeName: string): string => `${NODE_USER}${nodeName}`;
export const NODES_GROUP = 'system:nodes';

export interface NodeCertificate {
  /** Empty if the certificate is not for a node. */
  nodeName: string;
  /** PEM, leaf first. */
  certificate: string;
  key: Secret;
  notAfter: Date;
}

export interface KubeletIdentity extends NodeCertificate {
  server: string;
  /** PEM bundle that `kubelet.conf` trusts. */
  ca: string;
}

/** Parses `kubelet-client-current.pem`; undefined if it is damaged, or has no certificate with its key. */
export function nodeCertificate(pem: Buffer | undefined): NodeCertificate | undefined {
  try {
    const text = pem?.toString('utf8') ?? '';
    const chain = readCertificates(text);
    const key = pemBlocks(text).find(({ label }) => label.endsWith('PRIVATE KEY'));
    const [leaf] = chain;
    if (leaf === undefined || key === undefined) return undefined;
    const keyPem = toPem(key.label, key.der);
    if (!fitsKey(leaf, keyPem)) return undefined;
    return {
      nodeName: leaf.commonName.startsWith(NODE_USER) ? leaf.commonName.slice(NODE_USER.length) : '',
      certificate: chain.map((certificate) => certificate.pem).join(''),
      key: new Secret(keyPem),
      notAfter: leaf.notAfter,
    };
  } catch {
    return undefined; // unreadable, so it counts as missing
  }
}

/** Reads `kubelet.conf` and the PEM that it names; undefined if one of them is missing or invalid. */
export async function kubeletIdentity(files: Files): Promise<KubeletIdentity | undefined> {
  const [conf, pem] = await Promise.all([files.read(paths.kubeletConf), files.read(paths.kubeletCurrentPem)]);
  const held = nodeCertificate(pem);
  if (conf === undefined || held === undefined) return undefined;
  try {
    const [cluster] = readKubeconfig(conf.toString('utf8')).clusters;
    if (cluster === undefined) return undefined;
    const ca = cluster.caFile === undefined ? cluster.ca : ((await files.read(cluster.caFile))?.toString('utf8') ?? '');
    return readCertificates(ca).length === 0 ? undefined : { server: cluster.server, ca, ...held };
  } catch {
    return undefined;
  }
}

/** The identity on disk, if it is this node's in this cluster and the cluster still accepts it. */
export async function usableIdentity(
  { files, kube, clock }: Pick<Ports, 'files' | 'kube' | 'clock'>,
  wanted: { server: string; ca: string; nodeName: string },
): Promise<KubeletIdentity | undefined> {
  const held = await kubeletIdentity(files);
  if (held === undefined) return undefined;
  const trusted = new Set(readCertificates(wanted.ca).map(({ pin }) => pin));
  if (!readCertificates(held.ca).some(({ pin }) => trusted.has(pin)))
    throw fail('E_OTHER_CLUSTER', { path: paths.kubeletConf, server: wanted.server });
  if (held.nodeName !== wanted.nodeName || held.notAfter <= clock.now()) return undefined;
  const { certificate: pem, key } = held;
  const own = kube.as({ server: wanted.server, ca: wanted.ca, certificate: { pem, key } });
  try {
    await own.get(nodeRef(wanted.nodeName));
    return held;
  } catch (error) {
    if (isJoinError(error) && error.code === 'E_API_UNAUTHORIZED') return undefined; // for example, revoked with its CA
    throw error;
  }
}
