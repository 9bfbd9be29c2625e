/** A scratch machine: a directory that `join run --root` treats as a machine. It is ready to join and runs nothing. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { DEFAULT_PROFILE, profiles } from '../profile.ts';
import { journalctl, sleep, systemctl } from './machine-scripts.ts';
import { RUNTIME_SOCKET } from './runtime.ts';

export interface MachineOptions {
  hostName: string;
  /** Command that starts `kubelet-main.ts`; the root is appended. */
  kubelet: readonly string[];
  /** Default: the newest that the sandbox has. */
  kubeletVersion?: string;
}

/** Maximum length of a Unix socket path, without the final zero. */
const SOCKET_PATH_BYTES_MAX = 107;
const PROGRAMS = [
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
  'touch',
  'true',
];
const KERNEL = '5.10.0-stand-in';
/** Kernel options that containers need. */
const KERNEL_CONFIG = [
  'NAMESPACES',
  'NET_NS',
  'PID_NS',
  'IPC_NS',
  'UTS_NS',
  'CGROUPS',
  'CGROUP_CPUACCT',
  'CGROUP_DEVICE',
  'CGROUP_FREEZER',
  'CGROUP_PIDS',
  'CGROUP_BPF',
  'CGROUP_SCHED',
  'FAIR_GROUP_SCHED',
  'CPUSETS',
  'MEMCG',
  'INET',
  'EXT4_FS',
  'PROC_FS',
  'NETFILTER_XT_TARGET_REDIRECT',
  'NETFILTER_XT_MATCH_COMMENT',
];
const CGROUPS = ['cpuset', 'cpu', 'cpuacct', 'blkio', 'memory', 'devices', 'freezer', 'hugetlb', 'pids'];
const UNIT = '/usr/lib/systemd/system/kubelet.service';
const WANTED = '/etc/systemd/system/multi-user.target.wants/kubelet.service';
const SOCKETS_HEADER =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';

const files = (hostName: string): Record<string, string> => ({
  '/etc/hostname': `${hostName}\n`,
  '/etc/hosts': `127.0.0.1 localhost ${hostName}\n`,
  [`/boot/config-${KERNEL}`]: KERNEL_CONFIG.map((option) => `CONFIG_${option}=y\n`).join(''),
  '/proc/cgroups': `#subsys_name hierarchy num_cgroups enabled\n${CGROUPS.map((name) => `${name} 1 1 1\n`).join('')}`,
  '/proc/sys/kernel/ostype': 'Linux\n',
  '/proc/sys/kernel/osrelease': `${KERNEL}\n`,
  '/proc/swaps': 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n',
  '/proc/sys/net/ipv4/ip_forward': '1\n',
  '/proc/sys/net/bridge/bridge-nf-call-iptables': '1\n',
  '/proc/net/tcp': SOCKETS_HEADER,
  '/proc/net/tcp6': SOCKETS_HEADER,
  '/var/log/kubelet.log': '',
  [UNIT]: `[Unit]
Description=kubelet: The Kubernetes Node Agent
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=/usr/bin/kubelet
Restart=always
StartLimitInterval=0
RestartSec=10

[Install]
WantedBy=multi-user.target
`,
  '/etc/systemd/system/kubelet.service.d/10-kubeadm.conf': `[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
`,
});

const programs = (kubelet: readonly string[], version: string): Record<string, string> => ({
  ...Object.fromEntries(PROGRAMS.map((name) => [name, '#!/bin/sh\nexit 0\n'])),
  kubelet: `#!/bin/sh\n[ "$1" = --version ] && echo 'Kubernetes ${version}'\n`,
  systemctl: systemctl(kubelet),
  journalctl,
  sleep,
});

export async function makeMachine(root: string, options: MachineOptions): Promise<void> {
  const { hostName, kubelet, kubeletVersion = profiles[DEFAULT_PROFILE].gitVersion } = options;
  for (const [path, text] of Object.entries(files(hostName))) await writeNew(join(root, path), text);
  for (const [name, text] of Object.entries(programs(kubelet, kubeletVersion))) {
    await writeNew(join(root, 'usr/bin', name), text);
    await chmod(join(root, 'usr/bin', name), 0o755);
  }
  await symlink('usr/bin', join(root, 'bin'));
  await mkdir(join(root, dirname(WANTED)), { recursive: true });
  await symlink(UNIT, join(root, WANTED));
  for (const path of ['var/lib', 'etc/ssl/certs']) await mkdir(join(root, path), { recursive: true });
  await createSocket(join(root, RUNTIME_SOCKET));
}

/** Stops the kubelet of the machine. */
export async function stopMachine(root: string): Promise<void> {
  await promisify(execFile)(join(root, 'usr/bin/systemctl'), ['stop', 'kubelet']);
}

async function writeNew(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

/** Creates a socket without a listener, or a plain file if the path is too long for a socket. */
async function createSocket(path: string): Promise<void> {
  const temporary = `${path}.new`;
  if (Buffer.byteLength(temporary) > SOCKET_PATH_BYTES_MAX) return writeNew(path, '');
  await mkdir(dirname(path), { recursive: true });
  const server = createServer().listen(temporary);
  await once(server, 'listening');
  await rename(temporary, path); // closing the server deletes the socket under its first name
  server.close();
  await once(server, 'close');
}
