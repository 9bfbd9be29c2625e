/** The Node object that the stand-in kubelet registers. */

import { type Condition, type Draft, timestamp } from '../objects.ts';
import type { KubeletFiles } from './kubelet-files.ts';

const ARCHITECTURES: Partial<Record<NodeJS.Architecture, string>> = { x64: 'amd64', ia32: '386' };

/** The kubelet measures its disk after it has registered its Node. */
export const ALLOCATABLE = { cpu: '2', 'ephemeral-storage': '10Gi', memory: '4Gi', pods: '110' };

export function nodeOf({ nodeName, flags, version }: KubeletFiles, now: Date): Draft {
  const architecture = ARCHITECTURES[process.arch] ?? process.arch;
  const { registerWithTaints: taints } = flags;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: nodeName,
      labels: {
        'beta.kubernetes.io/arch': architecture,
        'beta.kubernetes.io/os': 'linux',
        'kubernetes.io/arch': architecture,
        'kubernetes.io/hostname': nodeName,
        'kubernetes.io/os': 'linux',
      },
      annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' },
    },
    spec: taints.length === 0 ? {} : { taints },
    status: {
      addresses: [
        { type: 'InternalIP', address: '127.0.0.1' },
        { type: 'Hostname', address: nodeName },
      ],
      conditions: [readyCondition('False', now)],
      nodeInfo: {
        architecture,
        containerRuntimeVersion: 'containerd://0.0.0-stand-in',
        kernelVersion: 'stand-in',
        kubeletVersion: version,
        operatingSystem: 'linux',
        osImage: 'Joinery stand-in kubelet',
      },
    },
  };
}

export function readyCondition(status: 'True' | 'False', now: Date): Condition & { lastHeartbeatTime: string } {
  const at = timestamp(now);
  const isReady = status === 'True';
  return {
    type: 'Ready',
    status,
    reason: isReady ? 'KubeletReady' : 'KubeletNotReady',
    message: isReady ? 'kubelet is posting ready status' : 'container runtime status check may not have completed yet',
    lastHeartbeatTime: at,
    lastTransitionTime: at,
  };
}
