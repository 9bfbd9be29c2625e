/** Differences between the Kubernetes versions that the sandbox can imitate. */

export interface Profile {
  gitVersion: string;
  /** Name of the ConfigMap with the kubelets' configuration. */
  kubeletConfigMap: string;
  /** Version of kubeadm's ClusterConfiguration. */
  kubeadmApi: string;
  /** Field `dns` of the ClusterConfiguration; v1beta3 has no type in it. */
  dns: object;
  /** Absent before 1.22: the kubelet's own default (cgroupfs) then applies. */
  cgroupDriver?: 'systemd';
  /** False for kubelets from 1.35 on: the scratch machine has cgroups v1. */
  failCgroupV1?: false;
  imageRepository: string;
  /** Of etcd. Absent: control planes cannot join. */
  etcdVersion?: string;
  /** Versions of API groups that do not have v1 alone. */
  served: Readonly<Record<string, readonly string[]>>;
  /** Roles that `kubeadm init` did not create yet: to read Nodes (since 1.18) and kubeadm-config (since 1.11). */
  withoutRoles?: readonly ('kubeadm:get-nodes' | 'kubeadm:nodes-kubeadm-config')[];
}

const CERTIFICATES = 'certificates.k8s.io';

export const profiles = {
  '1.9': {
    imageRepository: 'k8s.gcr.io',
    gitVersion: 'v1.9.11',
    kubeletConfigMap: 'kubelet-base-config-1.9',
    kubeadmApi: 'v1alpha1',
    dns: {},
    served: { [CERTIFICATES]: ['v1beta1'] },
    withoutRoles: ['kubeadm:get-nodes', 'kubeadm:nodes-kubeadm-config'],
  },
  '1.20': {
    imageRepository: 'k8s.gcr.io',
    gitVersion: 'v1.20.2',
    etcdVersion: '3.4.13',
    kubeletConfigMap: 'kubelet-config-1.20',
    kubeadmApi: 'v1beta2',
    dns: { type: 'CoreDNS' },
    served: { [CERTIFICATES]: ['v1', 'v1beta1'] },
  },
  '1.24': {
    imageRepository: 'k8s.gcr.io',
    gitVersion: 'v1.24.17',
    etcdVersion: '3.5.6',
    kubeletConfigMap: 'kubelet-config',
    kubeadmApi: 'v1beta3',
    dns: {},
    cgroupDriver: 'systemd',
    served: {},
  },
  '1.28': {
    imageRepository: 'registry.k8s.io',
    gitVersion: 'v1.28.15',
    etcdVersion: '3.5.15',
    kubeletConfigMap: 'kubelet-config',
    kubeadmApi: 'v1beta3',
    dns: {},
    cgroupDriver: 'systemd',
    served: {},
  },
  '1.31': {
    imageRepository: 'registry.k8s.io',
    gitVersion: 'v1.31.9',
    etcdVersion: '3.5.15',
    kubeletConfigMap: 'kubelet-config',
    kubeadmApi: 'v1beta4',
    dns: {},
    cgroupDriver: 'systemd',
    served: {},
  },
  '1.34': {
    imageRepository: 'registry.k8s.io',
    gitVersion: 'v1.34.1',
    etcdVersion: '3.6.4',
    kubeletConfigMap: 'kubelet-config',
    kubeadmApi: 'v1beta4',
    dns: {},
    cgroupDriver: 'systemd',
    served: {},
  },
  '1.36': {
    imageRepository: 'registry.k8s.io',
    gitVersion: 'v1.36.2',
    etcdVersion: '3.6.8',
    failCgroupV1: false,
    kubeletConfigMap: 'kubelet-config',
    kubeadmApi: 'v1beta4',
    dns: {},
    cgroupDriver: 'systemd',
    served: {},
  },
} as const satisfies Record<string, Profile>;

export type ProfileName = keyof typeof profiles;

/** The newest. */
export const DEFAULT_PROFILE = '1.36' satisfies ProfileName;
