/** Makes this machine a member of the cluster's etcd. Source: kubeadm, phases/etcd/local.go, and etcd's learners. */
import {
  adminIdentity,
  assertQuorumWithout,
  type ClusterEtcd,
  clusterEtcd,
  controlPlaneSettings,
  EtcdLease,
  etcdClientUrl,
  etcdMemberName,
  etcdPeerUrl,
  findCriSocket,
  holds,
  type NodeObject,
  nodeRef,
  patchedManifest,
  paths,
  secondsOf,
  voterHealth,
} from '../../engine/node/index.ts';
import {
  apiCalls,
  changesEtcd,
  controls,
  definePhase,
  type EtcdMember,
  type Files,
  fail,
  isTimeLimit,
  type KubeApi,
  type Ports,
  removesPodSandboxes,
  withWitness,
  writes,
} from '../../engine/sdk/index.ts';
import { etcdPod, type LocalEtcd, type Machine } from './manifest.ts';
import { input, output } from './schema.ts';

const MANIFEST = `${paths.manifests}/etcd.yaml`;
const DATA_DIR = '{clusterConfiguration.etcd.local.dataDir}';

export default definePhase({
  name: 'etcd-join',
  summary: 'Make this machine a member of the etcd of the cluster',
  input,
  output,
  effects: [
    apiCalls(['list'], 'pods', 'finds the members of etcd, as the administrator of admin.conf'),
    apiCalls(['watch'], 'nodes', 'waits until it reports the storage that etcd requests (clusters before 1.22)'),
    apiCalls(['get', 'create', 'patch'], 'leases', 'kube-system/joinery-etcd, so that control planes join in turns'),
    changesEtcd('this machine joins as a learner, and is promoted; an undo removes it'),
    writes(DATA_DIR, 0o700, 'the data of etcd'),
    writes(paths.etcdData, 0o700, 'the data of etcd'),
    writes(`${DATA_DIR}/*`, undefined, 'deleted by an undo, after the member has left'),
    writes(`${paths.etcdData}/*`, undefined, 'deleted by an undo, after the member has left'),
    writes(paths.manifests, 0o700, 'the directory that the kubelet starts static Pods from'),
    writes(MANIFEST, 0o600, 'etcd'),
    controls('kubelet', ['stop', 'start'], 'an undo stops it while the data of etcd are deleted'),
    removesPodSandboxes('an undo removes the Pod of etcd'),
  ],

  async run(ports, given) {
    const { files, kube, etcd, clock, log } = ports;
    const settings = controlPlaneSettings(given.clusterConfiguration);
    if ('external' in settings.etcd) {
      log.info('etcd is external, so this machine does not become a member');
      return {};
    }
    const { local } = settings.etcd;
    const { access, images } = await clusterEtcd(ports, given.certificatesDir);
    const machine = { ...given, startSeconds: secondsOf(given.startTimeout) };
    const peerUrl = etcdPeerUrl(given.advertiseAddress);
    const before = memberIn(await etcd.members(access), peerUrl);
    await assertDataFits(files, local.dataDir, before);
    const api = kube.as(await adminIdentity(files));
    const lease = new EtcdLease(api, clock, given.nodeName);
    if (before?.isLearner !== false || (await files.stat(MANIFEST)) === undefined) {
      await files.directory(local.dataDir, 0o700);
      if (!holds('noStorageRequestOfEtcd', settings.version)) await waitForStorage(api, given.nodeName);
      const image = imageOf(local, images, settings.imageRepository);
      await lease.whileHeld(() =>
        join(
          ports,
          { access, peerUrl, lease, local, image, version: settings.version, patches: given.patches },
          machine,
        ),
      );
    } else await lease.release(); // of a run that was killed when it had promoted the member
    await etcd.waitUntilHealthy(access, etcdClientUrl(given.advertiseAddress)).catch((error: unknown) => {
      throw withWitness(error, 'etcd on this machine is a member, and does not report that it is healthy');
    });
    log.info('etcd on this machine is a healthy voting member');
    return {};
  },

  /** The member leaves while a majority can still agree to it. Only then are its data deleted. */
  async undo(ports, given, changes) {
    const { clusterConfiguration, certificatesDir, advertiseAddress, nodeName, criSocket } = given;
    const { files, etcd, kube, clock, log } = ports;
    const settings = controlPlaneSettings(clusterConfiguration);
    const peerUrl = etcdPeerUrl(advertiseAddress);
    if ('external' in settings.etcd || !changes.some(({ kind }) => kind === 'api' || kind === 'etcd-member')) return;
    const { dataDir } = settings.etcd.local;
    const lease = new EtcdLease(kube.as(await adminIdentity(files)), clock, nodeName);
    // A run or an undo that was killed may have kept the lease.
    if (!changes.some((change) => isAddition(change, peerUrl))) return lease.release();
    const { access } = await clusterEtcd(ports, certificatesDir);
    if (memberIn(await etcd.members(access), peerUrl) === undefined) await lease.release();
    else
      await lease.whileHeld(async () => {
        const members = await etcd.members(access); // while no other control plane changes them
        const own = memberIn(members, peerUrl);
        if (own === undefined) return;
        await assertQuorumWithout(etcd, access, { own, members, force: 'join undo --skip etcd-join' });
        await etcd.remove(access, peerUrl);
        log.info(`the member ${etcdMemberName(own)} has left etcd`);
      });
    await files.remove(MANIFEST);
    await whileStopped(ports, criSocket, async () => {
      const isNew = changes.some(
        (change) => change.kind === 'directory' && 'path' in change && change.path === dataDir,
      );
      const names = isNew ? [''] : ((await files.list(dataDir)) ?? []).map((name) => `/${name}`);
      for (const name of names) await files.removeTree(`${dataDir}${name}`);
    });
  },
});

interface Joining extends Pick<ClusterEtcd, 'access'> {
  peerUrl: string;
  lease: EtcdLease;
  local: LocalEtcd;
  image: string;
  version: string;
  patches: string | undefined;
}

async function join({ files, etcd, log }: Ports, joining: Joining, machine: Machine): Promise<void> {
  const { access, peerUrl, lease, local, image, version, patches } = joining;
  const members = await etcd.members(access);
  await etcd.add(access, peerUrl, await roleFor(etcd, access, members));
  const pod = etcdPod({ machine, local, version, image, members: await etcd.members(access) });
  await files.directory(paths.manifests, 0o700);
  await files.write(MANIFEST, await patchedManifest({ files, log }, pod, { version, patches }), 0o600);
  await etcd.waitUntilStarted(access, peerUrl).catch((error: unknown) => {
    throw withWitness(error, `etcd on this machine has not started: check crictl ps -a, and the log of its container`);
  });
  await lease.renew();
  await etcd.promote(access, peerUrl);
}

/**
 * A kubelet rejects a static Pod that requests a resource of which its Node reports nothing yet, and never tries again.
 * The Node gets its ephemeral storage up to ten seconds after it has registered.
 */
async function waitForStorage(api: KubeApi, nodeName: string): Promise<void> {
  const reports = (node: NodeObject | undefined) => node?.status?.allocatable?.['ephemeral-storage'] !== undefined;
  await api.waitFor<NodeObject>(nodeRef(nodeName), reports).catch((error: unknown) => {
    if (!isTimeLimit(error)) throw error;
    throw withWitness(error, `Node ${nodeName} reports no ephemeral storage, which the static Pod of etcd requests`);
  });
}

/** A learner does not count for the quorum until it is promoted. etcd has learners from 3.4 on. */
async function roleFor(
  etcd: Ports['etcd'],
  access: ClusterEtcd['access'],
  members: readonly EtcdMember[],
): Promise<'learner' | 'voter'> {
  const { versions } = await voterHealth(etcd, access, members);
  const isOld = (version: string) => Number(/^3\.(\d+)/.exec(version)?.[1] ?? 4) < 4;
  return versions.some(isOld) ? 'voter' : 'learner';
}

const memberIn = (members: readonly EtcdMember[], peerUrl: string): EtcdMember | undefined =>
  members.find(({ peerUrls }) => peerUrls.includes(peerUrl));

/** Data of another etcd, or the lost data of this member, would keep etcd from joining. */
async function assertDataFits(files: Files, path: string, own: EtcdMember | undefined): Promise<void> {
  const names = (await files.list(path)) ?? [];
  if (own === undefined && names.length > 0) throw fail('E_ETCD_DATA', { path, names });
  if (own === undefined || own.name === '' || names.length > 0) return;
  const what = `it has started before, and ${path} does not have its data`;
  throw fail('E_ETCD_MEMBER', { member: etcdMemberName(own), id: own.id, what, passes: false });
}

/** The image of the configuration, or the one that the other members run. */
function imageOf({ imageRepository, imageTag }: LocalEtcd, images: readonly string[], repository: string): string {
  const [running] = images;
  if (imageTag === undefined && running === undefined)
    throw fail('E_ETCD_ENDPOINTS', { what: 'none of the Pods names the image of etcd' });
  if (imageTag === undefined && imageRepository === undefined && running !== undefined) return running;
  const tag = imageTag ?? running?.slice(running.lastIndexOf(':') + 1);
  return `${imageRepository ?? repository}/etcd:${tag}`;
}

const isAddition = (change: { kind: string }, peerUrl: string): boolean => {
  const { kind, action, peerUrl: of } = change as { kind: string; action?: string; peerUrl?: string };
  return kind === 'etcd-member' && action?.startsWith('add') === true && of === peerUrl;
};

/** The kubelet would start etcd again while its data are deleted, so it is stopped for that moment. */
async function whileStopped(
  { files, services, runtime }: Ports,
  criSocket: string | undefined,
  act: () => Promise<void>,
): Promise<void> {
  const { active } = await services.status('kubelet');
  await services.stop('kubelet');
  const socket = await findCriSocket({ files, runtime }, criSocket);
  for (const sandbox of await runtime.podSandboxes(socket))
    if (sandbox.namespace === 'kube-system' && /^etcd(-|$)/.test(sandbox.name))
      await runtime.removePodSandbox(socket, sandbox);
  await act();
  if (active) await services.start('kubelet');
}
