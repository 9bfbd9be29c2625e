/** The phase kubelet-config, on a machine in memory. */
import type { MemoryHost, MemoryMachine } from '../../engine/testing/memory-host.ts';
import kubeletConfig from '../../phases/kubelet-config/index.ts';
import { authority, NOW } from './cluster.ts';
import { runPhase } from './contract.ts';

export const ca = authority();
export const CONFIG = '/var/lib/kubelet/config.yaml';
export const FLAGS = '/var/lib/kubelet/kubeadm-flags.env';

export const CONFIGURATION = {
  apiVersion: 'kubelet.config.k8s.io/v1beta1',
  kind: 'KubeletConfiguration',
  cgroupDriver: 'systemd',
  clusterDNS: ['10.96.0.10'],
};

export const input = {
  ca: ca.pem,
  nodeName: 'w1',
  hostName: 'w1',
  kubeletVersion: 'v1.30.2',
  kubeletConfiguration: CONFIGURATION,
};
export const machine = (change: MemoryMachine = {}): MemoryMachine => ({
  now: () => NOW,
  directories: ['/etc', '/var/lib'],
  services: { kubelet: {} },
  ...change,
});
export const configure = (host: MemoryHost, overrides: Record<string, unknown> = {}) =>
  runPhase(kubeletConfig, { ...input, ...overrides }, host);
export const text = async (host: MemoryHost, path: string) =>
  (await host.read<'file'>({ kind: 'file', path }, new AbortController().signal))?.toString();
