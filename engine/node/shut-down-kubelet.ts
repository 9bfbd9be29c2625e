/** Shuts down a kubelet like `kubeadm reset`: for an undo of its start, and for a reset. Its files stay. */

import { type Effect, serviceWrites } from '../sdk/effects.ts';
import type { Ports } from '../sdk/ports.ts';
import { clean } from '../sdk/text.ts';
import { adminIdentity } from './control-plane/admin.ts';
import { findCriSocket, socketPath } from './cri.ts';
import { kubeletIdentity } from './kubelet-identity.ts';
import { type NodeObject, nodeRef } from './objects.ts';
import { paths } from './paths.ts';

const { kubelet, kubeletPki, cni } = paths;

/** Source: the kubelet's own directories. kubeadm reset empties them and /var/lib/cni. */
export const kubeletData: readonly Effect[] = [
  serviceWrites('kubelet', paths.kubeletConf, 'if it requests its own certificate'),
  serviceWrites('kubelet', kubeletPki, 'the same'),
  serviceWrites('kubelet', `${kubeletPki}/kubelet-client-*.pem`, 'its client certificates, after a rotation'),
  serviceWrites('kubelet', `${kubeletPki}/kubelet-server-*.pem`, 'its serving certificates'),
  serviceWrites('kubelet', `${kubeletPki}/kubelet.crt`, 'its self-signed certificate'),
  serviceWrites('kubelet', `${kubeletPki}/kubelet.key`, 'its key'),
  ...[
    '*_manager_state',
    '*_pods_state',
    'checkpoints',
    'device-plugins',
    'image_manager',
    'plugins',
    'plugins_registry',
  ].map((name) => serviceWrites('kubelet', `${kubelet}/${name}`, 'its own state')),
  serviceWrites(
    'kubelet',
    `${kubelet}/dynamic*`,
    'configurations from the cluster, if --dynamic-config-dir is this path',
  ),
  serviceWrites('kubelet', `${kubelet}/pods`, 'volumes of Pods'),
  serviceWrites('kubelet', `${kubelet}/pod-resources`, 'its own socket'),
  serviceWrites('kubelet', cni, 'addresses of Pods'),
  serviceWrites('kubelet', `${cni}/*`, 'addresses of Pods'),
];

/** Known names of interfaces that network plugins create. */
const CNI_LINKS = /^(cni|flannel|cilium|vxlan\.calico|tunl|kube-|weave|antrea|ovn)/;

const REMOVALS_AT_ONCE = 8;

type EndPorts = Pick<Ports, 'files' | 'services' | 'mounts' | 'runtime' | 'kube' | 'clock' | 'log'>;

/** Why a Node is no longer Ready: the reason and the message of its condition. */
export interface NotReadyReason {
  reason: string;
  message: string;
}

export async function shutDownKubelet(
  ports: EndPorts,
  criSocket: string | undefined,
  why: NotReadyReason,
): Promise<void> {
  const { files, services, mounts, log } = ports;
  await services.stop('kubelet'); // otherwise the kubelet would start them again
  await markNotReady(ports, why);
  await removeSandboxes(ports, criSocket);
  for (const path of await mounts.below(kubelet)) await mounts.unmount(path);
  const links = ((await files.list('/sys/class/net')) ?? []).filter((name) => CNI_LINKS.test(name));
  log.info(
    'what network plugins and kube-proxy made stays until the next reboot: iptables ' +
      `rules${links.length === 0 ? '' : `, and the links ${links.join(', ')} (ip link delete NAME)`}`,
  );
}

/**
 * Uses the node's own identity before it is deleted. A Node that looks Ready would prevent another machine from using
 * its name.
 */
async function markNotReady({ files, kube, clock, log }: EndPorts, why: NotReadyReason): Promise<void> {
  const held = await kubeletIdentity(files);
  if (held === undefined || held.nodeName === '') return;
  const { ca, certificate: pem, key, nodeName } = held;
  // On a control plane, the kubelet may speak to the API server of its own machine, whose etcd has left.
  const { server } = await adminIdentity(files).catch(() => held);
  const now = clock
    .now()
    .toISOString()
    .replace(/\.\d+Z$/, 'Z');
  const ready = { type: 'Ready', status: 'False', ...why, lastTransitionTime: now };
  const patch = { status: { conditions: [{ ...ready, lastHeartbeatTime: now }] } };
  try {
    await kube.as({ server, ca, certificate: { pem, key } }).patch<NodeObject>(nodeRef(nodeName), patch, 'status');
    log.info(`Node ${nodeName} remains in the cluster, not Ready. To delete it: kubectl delete node ${nodeName}`);
  } catch (error) {
    const why = clean((error as Error).message);
    log.warn(
      `Node ${nodeName} could not be marked as not Ready (${why}). To delete it: kubectl delete node ${nodeName}`,
    );
  }
}

async function removeSandboxes({ files, runtime, log }: EndPorts, given: string | undefined): Promise<void> {
  const socket = await findCriSocket({ files, runtime }, given);
  if ((await files.stat(socketPath(socket))) === undefined) return;
  try {
    const sandboxes = await runtime.podSandboxes(socket);
    const waiting = [...sandboxes];
    const remove = async (): Promise<void> => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop())
        await runtime.removePodSandbox(socket, next);
    };
    await Promise.all(Array.from({ length: REMOVALS_AT_ONCE }, remove));
    if (sandboxes.length > 0) log.info(`removed ${sandboxes.length} Pods from the container runtime`);
  } catch (error) {
    log.warn(`Pods may still run (${clean((error as Error).message)}): crictl --runtime-endpoint ${socket} pods`);
  }
}
