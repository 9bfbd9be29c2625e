/** The etcd member of a control plane leaves the cluster, before anything of it is deleted. */
import {
  adminIdentity,
  assertQuorumWithout,
  clusterEtcd,
  EtcdLease,
  etcdCertificates,
  etcdctl,
  etcdMemberName,
  kubeletIdentity,
  type LocalEtcdMember,
} from '../../engine/node/index.ts';
import { clean, type EtcdAccess, type EtcdMember, fail, isJoinError, type Ports } from '../../engine/sdk/index.ts';

const FORCE = 'join reset --ignore-etcd-member';

/**
 * Throws E_RESET_ETCD, E_ETCD_QUORUM or E_CONTROL_PLANE_BUSY. With `warn`, the first two are warnings:
 * then etcd continues to count it.
 */
export async function leaveEtcd(ports: Ports, local: LocalEtcdMember, onFailure: 'stop' | 'warn'): Promise<void> {
  try {
    await inTurn(ports, () => leave(ports, local));
  } catch (error) {
    if (!isJoinError(error) || error.code === 'E_CONTROL_PLANE_BUSY') throw error;
    if (onFailure === 'stop')
      throw error.code === 'E_ETCD_QUORUM' ? error : fail('E_RESET_ETCD', { what: error.message }, error);
    ports.log.warn(
      `the member at ${clean(local.peerUrl)} stays in etcd, which counts it although it stops (${error.message}). ` +
        `Remove it as soon as etcd answers: ${etcdctl('member remove ID')}`,
    );
  }
}

async function inTurn(ports: Ports, act: () => Promise<void>): Promise<void> {
  const lease = await takenLease(ports);
  try {
    await act();
  } finally {
    await lease?.release().catch(() => undefined); // it ends by itself
  }
}

/** While etcd answers and the API server does not, the member leaves without the lease: etcd checks its quorum, too. */
async function takenLease({ files, kube, clock, log }: Ports): Promise<EtcdLease | undefined> {
  const holder = (await kubeletIdentity(files))?.nodeName || 'a control plane that is reset';
  try {
    const lease = new EtcdLease(kube.as(await adminIdentity(files)), clock, holder);
    await lease.renew();
    return lease;
  } catch (error) {
    if (!isJoinError(error) || error.code === 'E_CONTROL_PLANE_BUSY') throw error;
    log.warn(`the members of etcd change without a reservation (${error.message})`);
    return undefined;
  }
}

async function leave(ports: Ports, local: LocalEtcdMember): Promise<void> {
  const { etcd, log } = ports;
  const { access, members } = await reachableEtcd(ports, local);
  const own = members.find(({ peerUrls }) => peerUrls.includes(local.peerUrl));
  if (own === undefined) return log.info(`etcd has no member at ${clean(local.peerUrl)}, so no member has to leave`);
  if (members.length === 1)
    return log.warn('this machine is the only member of etcd: all data of the cluster are deleted with it');
  await assertQuorumWithout(etcd, access, { own, members, force: FORCE });
  // The members that stay answer to the end.
  const others = members.flatMap((member) => (member === own ? [] : member.clientUrls));
  await etcd.remove({ ...access, endpoints: [...others, ...access.endpoints] }, local.peerUrl);
  log.info(`the member ${etcdMemberName(own)} has left etcd`);
}

/** The member of this machine knows the others. If it does not answer, the cluster knows them. */
async function reachableEtcd(
  ports: Ports,
  { certificatesDir, clientUrls }: LocalEtcdMember,
): Promise<{ access: EtcdAccess; members: EtcdMember[] }> {
  const { files, etcd } = ports;
  const own = { endpoints: clientUrls, ...(await etcdCertificates(files, certificatesDir)) };
  try {
    if (clientUrls.length > 0) return { access: own, members: await etcd.members(own) };
  } catch (error) {
    if (!isJoinError(error)) throw error;
  }
  const { access } = await clusterEtcd(ports, certificatesDir);
  return { access, members: await etcd.members(access) };
}
