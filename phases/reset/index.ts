/** Resets a worker to its pre-join state like `kubeadm reset`, whether Joinery or kubeadm joined it. */
import { holds, installedKubelet, kubeletIdentity, paths, shutDownKubelet } from '../../engine/node/index.ts';
import {
  apiCalls,
  type Commands,
  controls,
  definePhase,
  type Effect,
  type Files,
  fail,
  isJoinError,
  removesPodSandboxes,
  runs,
  unmounts,
  writes,
} from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

const KUBERNETES = '/etc/kubernetes';

/** Files of a control plane. Its etcd member must leave the cluster first, which is up to kubeadm. */
const CONTROL_PLANE = ['kube-apiserver.yaml', 'etcd.yaml'].map((name) => `${paths.manifests}/${name}`);

/** Directories that are emptied but not deleted. Source: kubeadm reset, cleanup-node. */
const EMPTIED = [paths.kubelet, paths.manifests, `${KUBERNETES}/pki`];
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
    removesPodSandboxes('Pods that the kubelet started'),
    unmounts(paths.kubelet, 'volumes of Pods'),
    ...KUBECONFIGS.map((path) => deletes(path, 'credentials')),
    runs('kubelet', 'its version determines what is deleted'),
    ...EMPTIED.map((path) => deletes(`${path}/*`, 'files of the kubelet, kubeadm and Joinery')),
    ...EMPTIED_ONCE.map((path) => deletes(`${path}/*`, 'files of runtimes and networks, with kubelets up to 1.24')),
  ],
  irreversible: 'no copy is kept of the deleted files, because they include keys',

  async run(ports, { criSocket }) {
    const { files, commands, log } = ports;
    for (const path of CONTROL_PLANE)
      if ((await files.stat(path)) !== undefined) throw fail('E_RESET_CONTROL_PLANE', { path });
    const held = await kubeletIdentity(files); // before it is gone
    await shutDownKubelet(ports, criSocket, { reason: 'MachineReset', message: 'the machine was reset' });
    for (const path of KUBECONFIGS) await files.removeTree(path);
    for (const directory of [...EMPTIED, ...(await emptiedOnce(commands))]) await empty(directory, files);
    if (held === undefined || held.nodeName === '') return {};
    log.info(`the Node remains in the cluster; an administrator can delete it: kubectl delete node ${held.nodeName}`);
    return { node: held.nodeName };
  },
});

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
