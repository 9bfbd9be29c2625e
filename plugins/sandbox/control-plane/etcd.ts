/** The stand-in for etcd in a static Pod: a member that starts, receives the data, and answers its clients. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { serveEtcd } from '../../../engine/testing/etcd-server.ts';
import { assertFor, type Container, type Running } from './container.ts';
import type { EtcdCluster } from './etcd-cluster.ts';

/** Starts the member, as etcd does with `--initial-cluster-state=existing`. Throws what etcd would log. */
export async function startEtcd(container: Container, cluster: EtcdCluster): Promise<Running> {
  const [peerUrl, clientUrl] = [container.flag('initial-advertise-peer-urls'), container.flag('advertise-client-urls')];
  const ca = await container.file('trusted-ca-file');
  await assertPeer(container, cluster, peerUrl);
  const { certificate, ...pair } = await container.keyPair('cert-file', 'key-file', ca);
  assertFor(certificate, new URL(clientUrl).hostname);
  if (!container.flag('listen-client-urls').split(',').includes(clientUrl))
    throw new Error(`--advertise-client-urls ${clientUrl} is not one of --listen-client-urls`);
  const data = await container.directory('data-dir', 'member');
  assertInitialCluster(container, cluster, peerUrl);
  const server = await serveEtcd(cluster.etcd, { url: clientUrl, ...pair, ca });
  await writeFile(join(data, 'wal'), 'a stand-in: the data are in the process of the sandbox\n', { mode: 0o600 });
  return cluster.joined(peerUrl, container.flag('name'), { clientUrl, server });
}

async function assertPeer(container: Container, { ca }: EtcdCluster, peerUrl: string): Promise<void> {
  const { certificate } = await container.keyPair('peer-cert-file', 'peer-key-file', ca);
  if ((await container.file('peer-trusted-ca-file')).trim() !== ca.trim())
    throw new Error('remote error: tls: bad certificate (--peer-trusted-ca-file is not the CA of the other members)');
  assertFor(certificate, new URL(peerUrl).hostname);
  if (container.flag('listen-peer-urls') !== peerUrl) throw new Error('--listen-peer-urls is another address');
}

/** A member that has data takes its peers from there. Source: etcd, ValidateClusterAndAssignIDs. */
function assertInitialCluster(container: Container, { etcd }: EtcdCluster, peerUrl: string): void {
  const own = etcd.members.find(({ peerUrls }) => peerUrls.includes(peerUrl));
  if (own === undefined) throw new Error(`the member ${peerUrl} has been permanently removed from the cluster`);
  if (own.name !== '') return;
  if (container.flag('initial-cluster-state') !== 'existing')
    throw new Error('--initial-cluster-state must be existing');
  const pairs = container.flag('initial-cluster').split(',');
  if (!pairs.includes(`${container.flag('name')}=${peerUrl}`))
    throw new Error(`couldn't find local name "${container.flag('name')}" in the initial cluster configuration`);
  const urls = pairs.map((pair) => pair.slice(pair.indexOf('=') + 1)).sort();
  const members = etcd.members.flatMap(({ peerUrls }) => peerUrls).sort();
  if (urls.length !== members.length)
    throw new Error('error validating peerURLs from the remote peers: member count is unequal');
  if (!isDeepStrictEqual(urls, members))
    throw new Error('error validating peerURLs from the remote peers: unmatched member while checking PeerURLs');
}
