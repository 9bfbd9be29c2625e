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
}

export const profiles = {
  '1.20': {
    gitVersion: 'v1.20.2',
    kubeletConfigMap: 'kubelet-config-1.20',
    kubeadmApi: 'v1beta2',
    dns: { type: 'CoreDNS' },
  },
  '1.24': {
    gitVersion: 'v1.24.17',
    kubeletConfigMap: 'kubelet-config',
    kubeadmApi: 'v1beta3',
    dns: {},
    cgroupDriver: 'systemd',
  },
} satisfies Record<string, Profile>;

export type ProfileName = keyof typeof profiles;
