/** What differs between the Kubernetes versions that the sandbox can pass for. */

export interface Profile {
  gitVersion: string;
  /** Name of the ConfigMap that holds the kubelets' base configuration. */
  kubeletConfigMap: string;
  /** Version of kubeadm's ClusterConfiguration. */
  kubeadmApi: string;
  /** Its `dns`: what v1beta2 says and v1beta3 knows no more. */
  dns: object;
  /** Absent before 1.22: the kubelet's own default, cgroupfs, holds then. */
  cgroupDriver?: string;
  /** Versions of API groups that had others than v1 alone. */
  served: Readonly<Record<string, readonly string[]>>;
  /** What `kubeadm init` did not allow yet: joining machines to read Nodes (1.18) and kubeadm-config (1.11). */
  withoutRoles?: readonly ('kubeadm:get-nodes' | 'kubeadm:nodes-kubeadm-config')[];
}

const CERTIFICATES = 'certificates.k8s.io';

export const profiles = {
  '1.9': {
    gitVersion: 'v1.9.11',
    kubeletConfigMap: 'kubelet-base-config-1.9',
    kubeadmApi: 'v1alpha1',
    dns: {},
    served: { [CERTIFICATES]: ['v1beta1'] },
    withoutRoles: ['kubeadm:get-nodes', 'kubeadm:nodes-kubeadm-config'],
  },
  '1.20': {
    gitVersion: 'v1.20.2',
    kubeletConfigMap: 'kubelet-config-1.20',
    kubeadmApi: 'v1beta2',
    dns: { type: 'CoreDNS' },
    served: { [CERTIFICATES]: ['v1', 'v1beta1'] },
  },
  '1.24': {
    gitVersion: 'v1.24.17',
    kubeletConfigMap: 'kubelet-config',
    kubeadmApi: 'v1beta3',
    dns: {},
    cgroupDriver: 'systemd',
    served: {},
  },
  '1.34': {
    gitVersion: 'v1.34.1',
    kubeletConfigMap: 'kubelet-config',
    kubeadmApi: 'v1beta4',
    dns: {},
    cgroupDriver: 'systemd',
    served: {},
  },
} as const satisfies Record<string, Profile>;

export type ProfileName = keyof typeof profiles;
