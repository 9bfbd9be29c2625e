/** Checks that etcd can take in a member. Source: kubeadm, phases/join/checketcd.go. */
import {
  clusterEtcd,
  controlPlaneSettings,
  etcdMemberName,
  etcdPeerUrl,
  voterHealth,
} from '../../engine/node/index.ts';
import { apiCalls, definePhase, type EtcdMember, fail, readsEtcd } from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

export default definePhase({
  name: 'check-etcd',
  summary: 'Check that etcd is healthy and can take in a member',
  input,
  output,
  effects: [
    apiCalls(['list'], 'pods', 'finds the members of etcd, as the administrator of admin.conf'),
    readsEtcd('whether a majority is healthy, and whether a member is in the way'),
  ],

  async run({ files, kube, etcd, log }, { certificatesDir, clusterConfiguration, advertiseAddress, nodeName }) {
    if ('external' in controlPlaneSettings(clusterConfiguration).etcd) {
      log.info('etcd is external, so this machine does not become a member, and nothing is checked');
      return {};
    }
    const { access } = await clusterEtcd({ files, kube }, certificatesDir);
    const members = await etcd.members(access);
    const peerUrl = etcdPeerUrl(advertiseAddress);
    for (const member of members) if (!member.peerUrls.includes(peerUrl)) assertNotInTheWay(member, nodeName);
    const { healthy, voters, problems } = await voterHealth(etcd, access, members);
    if (healthy * 2 <= voters) throw fail('E_ETCD_UNHEALTHY', { healthy, voters, problems });
    for (const problem of problems) log.warn(`etcd is not complete: ${problem}`);
    log.info(`${healthy} of ${voters} voting members of etcd are healthy`);
    return {};
  },
});

function assertNotInTheWay(member: EtcdMember, nodeName: string): void {
  const { name, id } = member;
  const about = { member: etcdMemberName(member), id };
  if (name === '') throw fail('E_ETCD_MEMBER', { ...about, what: 'it was added, and has not started', passes: true });
  if (name === nodeName)
    throw fail('E_ETCD_MEMBER', {
      ...about,
      what: 'it has the name of this machine, and another address',
      passes: false,
    });
}
