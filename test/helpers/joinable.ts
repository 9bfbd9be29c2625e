/** A machine that passes every preflight check, and the results of the checks on other machines. */

import type { CheckResult } from '../../engine/sdk/index.ts';
import { type MemoryHost, type MemoryMachine, memoryHost } from '../../engine/testing/memory-host.ts';
import preflight from '../../phases/preflight/index.ts';
import { NOW } from './cluster.ts';
import { runPhase } from './contract.ts';

export const SOCKET = '/run/containerd/containerd.sock';
export const RELEASE = '6.1.0-13-amd64';
export const input = { nodeName: 'w1', privileged: true, endpoint: 'api.example:6443' };
export const programs = [
  ...[
    'crictl',
    'conntrack',
    'ip',
    'iptables',
    'losetup',
    'mount',
    'cp',
    'nsenter',
    'ebtables',
    'ethtool',
    'socat',
    'tc',
  ],
  'touch',
  'kubelet',
];
const OPTIONS = [
  ...['NAMESPACES', 'NET_NS', 'PID_NS', 'IPC_NS', 'UTS_NS', 'CGROUPS', 'CGROUP_CPUACCT', 'CGROUP_DEVICE'],
  ...[
    'CGROUP_FREEZER',
    'CGROUP_BPF',
    'CGROUP_PIDS',
    'FAIR_GROUP_SCHED',
    'CGROUP_SCHED',
    'CPUSETS',
    'MEMCG',
    'INET',
    'EXT4_FS',
    'PROC_FS',
  ],
  ...['NETFILTER_XT_TARGET_REDIRECT', 'NETFILTER_XT_MATCH_COMMENT'],
];
/** A kernel's configuration without the options named. */
export const kernelConfig = (...without: string[]): string =>
  OPTIONS.filter((name) => !without.includes(name))
    .map((name, index) => `CONFIG_${name}=${index % 2 === 0 ? 'y' : 'm'}\n`)
    .join('');

export const goodFiles: Record<string, string> = {
  '/etc/hosts': '127.0.0.1 localhost\n10.0.0.7\tsomebody W1 # us\n',
  '/proc/sys/kernel/ostype': 'Linux\n',
  '/proc/sys/kernel/osrelease': `${RELEASE}\n`,
  [`/boot/config-${RELEASE}`]: kernelConfig(),
  '/sys/fs/cgroup/cgroup.controllers': 'cpuset cpu io memory hugetlb pids rdma misc\n',
  '/proc/sys/net/ipv4/ip_forward': '1\n',
  '/proc/sys/net/bridge/bridge-nf-call-iptables': '1\n',
  '/proc/swaps': 'Filename\tType\tSize\tUsed\tPriority\n',
  '/proc/net/tcp': '  sl  local_address\n   0: 0100007F:1F90 00000000:0000 0A 0\n',
};

export const joinable = (change: MemoryMachine = {}): MemoryMachine => ({
  now: () => NOW,
  programs,
  services: { kubelet: {} },
  runtimes: { [SOCKET]: {} },
  ...change,
  outputs: { 'kubelet --version': { stdout: 'Kubernetes v1.20.2\n' }, ...change.outputs },
  files: { ...goodFiles, ...change.files },
});
export const withoutFile = (name: string, change: MemoryMachine = {}): MemoryMachine => {
  const { [name]: _, ...files } = joinable(change).files ?? {};
  return { ...joinable(change), files };
};
export const withoutPrograms = (names: readonly string[], change: MemoryMachine = {}): MemoryMachine =>
  joinable({ ...change, programs: programs.filter((program) => !names.includes(program)) });
export const withoutProgram = (name: string, change: MemoryMachine = {}): MemoryMachine =>
  withoutPrograms([name], change);
/** The machine with a kubelet of that version. */
export const withKubelet = (version: string): MemoryMachine => ({
  outputs: { 'kubelet --version': { stdout: `Kubernetes ${version}\n` } },
});

export interface Checked {
  host: MemoryHost;
  error: unknown;
  /** Without the last one, which says how many checks have passed. */
  notes: { level: 'info' | 'warn'; text: string }[];
  passed: string | undefined;
  /** All rows, from events and results. */
  checks: CheckResult[];
  /** The rows that did not pass. */
  found: CheckResult[];
}

export async function checked(
  machine: MemoryMachine,
  values: Record<string, unknown> = {},
  prepare: (host: MemoryHost) => Promise<void> = async () => undefined,
): Promise<Checked> {
  const host = memoryHost(machine);
  await prepare(host);
  const { error, result } = await runPhase(preflight, { ...input, ...values }, host);
  const [step] = result.steps;
  const outputs = (step?.outputs ?? {}) as { checks?: CheckResult[] };
  const checks = outputs.checks ?? (error as { facts: { checks?: CheckResult[] } }).facts.checks ?? [];
  const isSummary = ({ text }: { text: string }) => /^\d+ checks? passed$/.test(text);
  const notes = (step?.notes ?? []).filter((note) => !isSummary(note));
  const passed = step?.notes.find(isSummary)?.text;
  return { host, error, notes, passed, checks, found: checks.filter(({ result: one }) => one !== 'ok') };
}

/** The rows of one check. */
export const rowsOf = ({ checks }: Checked, name: string): CheckResult[] =>
  checks.filter(({ check }) => check === name);

/** Checks that the oldest kubelets did not have. */
export const RECENT = ['ContainerRuntimeVersion', 'FileExisting-losetup', 'FileExisting-cp'];
/** The checks of a worker with a kubelet 1.20 and without an endpoint, in their order. */
export const NAMES = [
  'IsPrivilegedUser',
  'DirAvailable--etc-kubernetes-manifests',
  'FileAvailable--etc-kubernetes-kubelet.conf',
  'FileAvailable--etc-kubernetes-bootstrap-kubelet.conf',
  'FileAvailable--etc-kubernetes-pki-ca.crt',
  'WritablePaths',
  'CRI',
  'FileContent--proc-sys-net-bridge-bridge-nf-call-iptables',
  'FileContent--proc-sys-net-ipv4-ip_forward',
  'Swap',
  'FileExisting-crictl',
  'FileExisting-conntrack',
  'FileExisting-ip',
  'FileExisting-iptables',
  'FileExisting-mount',
  'FileExisting-nsenter',
  'FileExisting-ebtables',
  'FileExisting-ethtool',
  'FileExisting-socat',
  'FileExisting-tc',
  'FileExisting-touch',
  'SystemVerification',
  'Hostname',
  'KubeletVersion',
  'Service-kubelet',
  'NodeLabels',
  'Port-10250',
  'HTTPProxy',
];
export const SWAPPING = { '/proc/swaps': 'Filename\n/dev/sda2 partition 1 0 -2\n' };
