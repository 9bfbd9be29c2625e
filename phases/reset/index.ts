/** Resets a machine to its pre-join state like `kubeadm reset`, whether Joinery or kubeadm joined it. */
import {
  holds,
  installedKubelet,
  kubeletIdentity,
  type LocalEtcdMember,
  localEtcdMember,
  paths,
  shutDownKubelet,
} from '../../engine/node/index.ts';
import {
  apiCalls,
  type Commands,
  changesEtcd,
  controls,
  definePhase,
  type Effect,
  type Files,
  fail,
  isJoinError,
  type Log,
  removesPodSandboxes,
  runs,
  unmounts,
  writes,
} from '../../engine/sdk/index.ts';
import { leaveEtcd } from './leave-etcd.ts';
import { input, output } from './schema.ts';

const KUBERNETES = '/etc/kubernetes';

/** Directories that are emptied but not deleted. Source: kubeadm reset, cleanup-node. */
const EMPTIED = [paths.kubelet, paths.pki];
/** Emptied too if the kubeadm of the kubelet's release does that. */
const EMPTIED_ONCE = ['/var/lib/dockershim', '/var/run/kubernetes', paths.cni];
const KUBECONFIGS = ['admin', 'super-admin', 'kubelet', 'bootstrap-kubelet', 'controller-manager', 'scheduler'].map(
  (name) => `${KUBERNETES}/${name}.conf`,
);

const deletes = (path: string, why: string): Effect => writes(path, undefined, `deleted: ${why}`);

export default definePhase({
  name: 'reset',
  summary: 'Reset this machine to its pre-join state',
  input,
  output,
  effects: [
    controls('kubelet', ['stop'], 'it leaves the cluster'),
    apiCalls(['patch'], 'nodes/status', 'sets the Node to not Ready'),
    apiCalls(['list'], 'pods', 'on a control plane: finds the members of etcd, as the administrator of admin.conf'),
    apiCalls(['get', 'create', 'patch'], 'leases', 'on a control plane: kube-system/joinery-etcd, to take turns'),
    changesEtcd('on a control plane: the member of this machine leaves'),
    deletes('{etcdDataDir}/*', 'the data of etcd, on a control plane'),
    removesPodSandboxes('Pods that the kubelet started'),
    unmounts(paths.kubelet, 'volumes of Pods'),
    ...KUBECONFIGS.map((path) => deletes(path, 'credentials')),
    runs('kubelet', 'its version determines what is deleted'),
    ...[paths.manifests, ...EMPTIED].map((path) => deletes(`${path}/*`, 'files of the kubelet, kubeadm and Joinery')),
    ...EMPTIED_ONCE.map((path) => deletes(`${path}/*`, 'files of runtimes and networks, with kubelets up to 1.24')),
  ],
  irreversible: 'no copy is kept of the deleted files, because they include keys',

  async run(ports, { criSocket, etcdDataDir, ignoreEtcdMember }) {
    const { files, commands, log } = ports;
    const held = await kubeletIdentity(files); // before it is gone
    const local = await localEtcd(files, log, ignoreEtcdMember);
    if (local?.dataDir !== undefined && local.dataDir !== etcdDataDir)
      throw fail('E_RESET_ETCD_DATA', { found: local.dataDir, given: etcdDataDir });
    if (local !== undefined) await leaveEtcd(ports, local, ignoreEtcdMember ? 'warn' : 'stop');
    await shutDownKubelet(ports, criSocket, { reason: 'MachineReset', message: 'the machine was reset' });
    if (local?.dataDir !== undefined) await empty(local.dataDir, files);
    // As long as a manifest is there, a reset after an interruption finds the credentials that it needs for etcd.
    await empty(paths.manifests, files);
    for (const path of KUBECONFIGS) await files.removeTree(path);
    for (const directory of [...EMPTIED, ...(await emptiedOnce(commands))]) await empty(directory, files);
    if (local !== undefined) await reportRest(files, log, local);
    return held === undefined || held.nodeName === '' ? {} : { node: held.nodeName };
  },
});

/** The member of this machine. A manifest that cannot be read may hide one. */
async function localEtcd(files: Files, log: Log, ignoreEtcdMember: boolean): Promise<LocalEtcdMember | undefined> {
  try {
    return await localEtcdMember(files);
  } catch (error) {
    if (isJoinError(error) || !ignoreEtcdMember) throw fail('E_RESET_ETCD', { what: (error as Error).message }, error);
    log.warn(`no member leaves etcd, because ${(error as Error).message}`);
    return undefined;
  }
}

/** What of a control plane is not deleted, because only the administrator knows whether something else needs it. */
async function reportRest(files: Files, log: Log, { certificatesDir, dataDir }: LocalEtcdMember): Promise<void> {
  const names = (await files.list(paths.etcdData)) ?? [];
  if (dataDir === undefined && names.length > 0)
    log.warn(`no manifest says whose data ${paths.etcdData} has. To delete them: rm -r ${paths.etcdData}`);
  if (certificatesDir !== paths.pki)
    log.warn(`the certificates of this control plane remain. To delete them: rm -r ${certificatesDir}`);
}

/** Without a kubelet, its release is unknown, and these directories stay. */
async function emptiedOnce(commands: Commands): Promise<string[]> {
  try {
    return holds('resetKeepsRuntimeFolders', await installedKubelet(commands)) ? [] : EMPTIED_ONCE;
  } catch (error) {
    if (isJoinError(error) && (error.code === 'E_PROGRAM_MISSING' || error.code === 'E_COMMAND_FAILED')) return [];
    throw error;
  }
}

async function empty(directory: string, files: Files): Promise<void> {
  for (const name of (await files.list(directory)) ?? []) await files.removeTree(`${directory}/${name}`);
}
