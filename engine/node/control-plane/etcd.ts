/** The etcd of a cluster as a joining control plane finds it. Source: kubeadm, util/etcd and phases/etcd. */
import { fail, isJoinError } from '../../sdk/errors.ts';
import type { Etcd, EtcdAccess, EtcdMember, Files, Kube, KubeObject } from '../../sdk/ports.ts';
import { Secret } from '../../sdk/secret.ts';
import { clean } from '../../sdk/text.ts';
import { apiHost } from '../server-address.ts';
import { adminIdentity } from './admin.ts';

const ENDPOINT_ANNOTATION = 'kubeadm.kubernetes.io/etcd.advertise-client-urls';
const PODS = { apiVersion: 'v1', resource: 'pods', namespace: 'kube-system' };
const LABELS = { component: 'etcd', tier: 'control-plane' };

interface EtcdPod extends KubeObject {
  spec?: { containers?: { name?: string; image?: string }[] };
}

export { etcdctl } from '../../sdk/errors/hints.ts';

export interface ClusterEtcd {
  access: EtcdAccess;
  /** The images that the members run, each once. */
  images: string[];
}

export const etcdPeerUrl = (address: string): string => `https://${apiHost(address)}:2380`;
export const etcdClientUrl = (address: string): string => `https://${apiHost(address)}:2379`;

/** Finds the members by their Pods, with admin.conf. Throws E_ETCD_ENDPOINTS, E_CONTROL_PLANE_CERTIFICATES. */
export async function clusterEtcd(
  { files, kube }: { files: Files; kube: Kube },
  certificatesDir: string,
): Promise<ClusterEtcd> {
  const certificates = await etcdCertificates(files, certificatesDir);
  const pods = await kube.as(await adminIdentity(files)).list<EtcdPod>(PODS, LABELS);
  if (pods.length === 0) throw fail('E_ETCD_ENDPOINTS', { what: 'the cluster has no Pod of etcd' });
  const endpoints = pods.flatMap(({ metadata: { name, annotations } }) => {
    const urls = annotations?.[ENDPOINT_ANNOTATION];
    if (urls === undefined)
      throw fail('E_ETCD_ENDPOINTS', { what: `Pod ${clean(name ?? '')} has no annotation ${ENDPOINT_ANNOTATION}` });
    return urls.split(',').map((url) => clean(url));
  });
  const images = pods.flatMap(({ spec }) => clean(spec?.containers?.find(({ name }) => name === 'etcd')?.image ?? ''));
  return {
    access: { endpoints, ...certificates },
    images: [...new Set(images.filter((image) => image !== ''))],
  };
}

/** What a control plane speaks to etcd with. Throws E_CONTROL_PLANE_CERTIFICATES. */
export async function etcdCertificates(files: Files, certificatesDir: string): Promise<Omit<EtcdAccess, 'endpoints'>> {
  const directory = `${certificatesDir}/etcd`;
  const names = ['ca.crt', 'healthcheck-client.crt', 'healthcheck-client.key'].map((name) => `${directory}/${name}`);
  const [ca = '', pem = '', key = ''] = await Promise.all(names.map((path) => textOf(files, path)));
  return { ca, certificate: { pem, key: new Secret(key) } };
}

async function textOf(files: Files, path: string): Promise<string> {
  const text = (await files.read(path))?.toString('utf8');
  if (text === undefined) throw fail('E_CONTROL_PLANE_CERTIFICATES', { problems: [`${path} does not exist`] });
  return text;
}

export interface VoterHealth {
  voters: number;
  healthy: number;
  /** Why each of the others is not healthy. */
  problems: string[];
  /** Of the members that answer. */
  versions: string[];
}

/** Asks all voting members at the same time. */
export async function voterHealth(
  etcd: Etcd,
  access: EtcdAccess,
  members: readonly EtcdMember[],
): Promise<VoterHealth> {
  const voters = members.filter(({ isLearner }) => !isLearner);
  const versions: string[] = [];
  const problems = await Promise.all(
    voters.map(async (member) => {
      const [endpoint] = member.clientUrls;
      if (endpoint === undefined) return [`${etcdMemberName(member)} has not started`];
      try {
        const { version, errors } = await etcd.status(access, endpoint);
        versions.push(version);
        return errors.length === 0 ? [] : [`${etcdMemberName(member)} reports ${errors.join(', ')}`];
      } catch (error) {
        if (!isJoinError(error) || error.code !== 'E_ETCD_UNREACHABLE') throw error;
        const { problems } = error.facts as { problems: readonly string[] };
        return [`${etcdMemberName(member)} does not answer (${problems.join('; ')})`];
      }
    }),
  );
  const found = problems.flat();
  return { voters: voters.length, healthy: voters.length - found.length, problems: found, versions };
}

/** Whether etcd works without this member. If not, throws E_ETCD_QUORUM; `force` is a command that ignores it. */
export async function assertQuorumWithout(
  etcd: Etcd,
  access: EtcdAccess,
  { own, members, force }: { own: EtcdMember; members: readonly EtcdMember[]; force: string },
): Promise<void> {
  if (own.isLearner) return;
  const others = members.filter((member) => member !== own);
  const { healthy, voters, problems } = await voterHealth(etcd, access, others);
  if (healthy * 2 > voters) return;
  const reasons = voters === 0 ? ['none of the other members votes'] : problems;
  throw fail('E_ETCD_QUORUM', { member: etcdMemberName(own), problems: reasons, force });
}

/** The name of a member, or its ID until it has started, with its address. */
export const etcdMemberName = ({ name, id, peerUrls }: EtcdMember): string => `${name || id} at ${peerUrls.join(', ')}`;
