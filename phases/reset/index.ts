/** Makes a worker a machine that has never joined, as `kubeadm reset` does, whoever has joined it. */
import { kubeletIdentity, paths, shutDownKubelet } from '../../engine/node/index.ts';
import {
  apiCalls,
  controls,
  definePhase,
  type Effect,
  type Files,
  fail,
  removesPodSandboxes,
  unmounts,
  writes,
} from '../../engine/sdk/index.ts';
import { input, output } from './schema.ts';

const KUBERNETES = '/etc/kubernetes';

/** What marks a control plane: its etcd member has to leave the cluster first, which is for kubeadm to do. */
const CONTROL_PLANE = ['kube-apiserver.yaml', 'etcd.yaml'].map((name) => `${paths.manifests}/${name}`);

/** Emptied, and left in place. Source: kubeadm reset, cleanup-node, of every version. */
const EMPTIED = [
  paths.kubelet,
  paths.manifests,
  `${KUBERNETES}/pki`,
  paths.cni,
  '/var/lib/dockershim',
  '/var/run/kubernetes',
];
const KUBECONFIGS = ['admin', 'super-admin', 'kubelet', 'bootstrap-kubelet', 'controller-manager', 'scheduler'].map(
  (name) => `${KUBERNETES}/${name}.conf`,
);

const removes = (path: string, why: string): Effect => writes(path, undefined, `removed: ${why}`);

export default definePhase({
  name: 'reset',
  summary: 'Make this machine one that has never joined',
  input,
  output,
  effects: [
    controls('kubelet', ['stop'], 'it leaves the cluster'),
    apiCalls(['patch'], 'nodes/status', 'the Node is not Ready any more'),
    removesPodSandboxes('what the kubelet has started'),
    unmounts(paths.kubelet, 'volumes of Pods'),
    ...KUBECONFIGS.map((path) => removes(path, 'who the kubelet is')),
    ...EMPTIED.map((path) => removes(`${path}/*`, 'what the kubelet, kubeadm and this command have written')),
  ],
  irreversible: 'what is removed is kept nowhere, since keys are among it',

  async run(ports, { criSocket }) {
    const { files, log } = ports;
    for (const path of CONTROL_PLANE)
      if ((await files.stat(path)) !== undefined) throw fail('E_RESET_CONTROL_PLANE', { path });
    const held = await kubeletIdentity(files); // before it is gone
    await shutDownKubelet(ports, criSocket, { reason: 'MachineReset', message: 'the machine was reset' });
    for (const path of KUBECONFIGS) await files.removeTree(path);
    for (const directory of EMPTIED) await empty(directory, files);
    if (held === undefined || held.nodeName === '') return {};
    log.info(`what stays in the cluster is for an administrator: kubectl delete node ${held.nodeName}`);
    return { node: held.nodeName };
  },
});

async function empty(directory: string, files: Files): Promise<void> {
  for (const name of (await files.list(directory)) ?? []) await files.removeTree(`${directory}/${name}`);
}
