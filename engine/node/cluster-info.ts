/** What a cluster publishes about itself: `kube-public/cluster-info`. */
import { type Certificate, readCertificates } from '../pki/index.ts';
import { fail } from '../sdk/errors.ts';
import type { Cluster } from '../sdk/ports.ts';
import { clean } from '../sdk/text.ts';
import { clusterInUse, readKubeconfig } from './kubeconfig.ts';
import { readServerAddress } from './server-address.ts';

/**
 * The cluster of a cluster-info kubeconfig that kubeadm would take, whose server replaces the one that was asked.
 * E_CLUSTER_INFO_INVALID.
 */
export function readClusterInfo(kubeconfig: string, asked: string): Cluster & { certificates: Certificate[] } {
  try {
    const cluster = clusterInUse(readKubeconfig(kubeconfig));
    if (cluster === undefined)
      throw new Error('it has neither a cluster without a name nor a current context with a cluster');
    const server = readServerAddress(cluster.server);
    const certificates = readCertificates(cluster.ca);
    if (certificates.length === 0) throw new Error('it contains no CA certificate');
    return { server, ca: certificates.map(({ pem }) => pem).join(''), certificates };
  } catch (error) {
    throw fail('E_CLUSTER_INFO_INVALID', { server: asked, what: clean((error as Error).message) }, error);
  }
}
