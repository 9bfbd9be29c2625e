/** The checks, by the names that kubeadm gives them. Source: kubeadm, preflight/checks.go. */
import {
  type Commands,
  criSocketOf,
  type Files,
  isJoinError,
  paths,
  type Services,
  socketPath,
} from '../../engine/sdk/index.ts';

export interface Finding {
  check: string;
  severity: 'error' | 'warning';
  text: string;
}

export interface CheckContext {
  files: Files;
  services: Services;
  commands: Commands;
  privileged: boolean;
  criSocket: string | undefined;
  caCertPath: string;
  /** Under this name: what that left is no obstacle, and later steps compare it with what they want. Read once for all checks. */
  joinedBefore: Promise<boolean>;
}

export type Check = (context: CheckContext) => Promise<Finding[]>;

const error = (check: string, text: string): Finding => ({ check, severity: 'error', text });
const warning = (check: string, text: string): Finding => ({ check, severity: 'warning', text });
const named = (kind: string, path: string): string => `${kind}-${path.replaceAll('/', '-')}`;

const isPrivilegedUser: Check = async ({ privileged }) =>
  privileged ? [] : [error('IsPrivilegedUser', 'joining needs root: try again with sudo')];

const fileAvailable =
  (pathOf: (context: CheckContext) => string): Check =>
  async (context) => {
    const path = pathOf(context);
    if ((await context.files.stat(path)) === undefined || (await context.joinedBefore)) return [];
    return [error(named('FileAvailable', path), `${path} already exists: this machine may belong to a cluster`)];
  };

const manifestsEmpty: Check = async ({ files }) => {
  const names = (await files.list(paths.manifests)) ?? [];
  return names.length === 0
    ? []
    : [
        error(
          named('DirAvailable', paths.manifests),
          `${paths.manifests} is not empty: ${names.slice(0, 5).join(', ')}`,
        ),
      ];
};

/** /proc/net/tcp has the port in hex, and 0A for a listener. Nothing is bound to find out. */
const kubeletPortFree: Check = async (context) => {
  if (await context.joinedBefore) return [];
  const tables = await Promise.all(['/proc/net/tcp', '/proc/net/tcp6'].map((path) => context.files.read(path)));
  const taken = tables.some((table) => /^\s*\d+: [0-9A-F]+:280A [0-9A-F:]+ 0A /m.test(table?.toString('latin1') ?? ''));
  return taken
    ? [error('Port-10250', 'port 10250 is in use: another kubelet may be running (ss -ltnp sport = 10250)')]
    : [];
};

const swapOff: Check = async ({ files }) => {
  const lines = (await files.read('/proc/swaps'))?.toString('utf8').trim().split('\n') ?? [];
  return lines.length > 1 ? [error('Swap', 'swap is on, and the kubelet refuses to start with it: swapoff -a')] : [];
};

const sysctlOn =
  (path: string, severity: Finding['severity'], remedy: string): Check =>
  async ({ files }) =>
    (await files.read(path))?.toString('latin1').startsWith('1') === true
      ? []
      : [{ check: named('FileContent', path), severity, text: `${path} is not 1: ${remedy}` }];

const programThere =
  (program: string, severity: Finding['severity']): Check =>
  async ({ commands }) =>
    (await commands.find(program)) === undefined
      ? [{ check: `FileExisting-${program}`, severity, text: `${program} is not on PATH: install its package` }]
      : [];

const runtimeThere: Check = async ({ files, criSocket }) => {
  const found = await criSocketOf(files, criSocket).catch((reason: unknown) => reason);
  if (isJoinError(found)) return [error('CRI', `${found.message}. ${found.hint}`)];
  const socket = socketPath(String(found));
  const there = await files.stat(socket);
  if (there?.kind === 'socket' || there?.kind === 'link') return [];
  return [
    error(
      'CRI',
      `no container runtime listens at ${socket}: is containerd or CRI-O running? (--cri-socket names another)`,
    ),
  ];
};

/** That it also says its version is for the step kubelet-version, which nobody waits for here. */
const kubeletThere: Check = async ({ commands }) =>
  (await commands.find('kubelet')) === undefined ? [error('KubeletVersion', 'kubelet is not on PATH: install it')] : [];

const kubeletService: Check = async ({ services }) => {
  const { manager, exists, enabled } = await services.status('kubelet');
  const name = 'Service-Kubelet';
  if (manager === 'none') return [warning(name, 'no systemd and no OpenRC here: the kubelet must be started by hand')];
  if (!exists) return [warning(name, `${manager} knows no service kubelet`)];
  const enable = manager === 'systemd' ? 'systemctl enable kubelet.service' : 'rc-update add kubelet default';
  return enabled ? [] : [warning(name, `the kubelet will not come back after a reboot: ${enable}`)];
};

/** In the order in which their findings are shown. */
export const checks: readonly Check[] = [
  isPrivilegedUser,
  manifestsEmpty,
  fileAvailable(() => paths.kubeletConf),
  fileAvailable(() => paths.bootstrapKubeletConf),
  fileAvailable(({ caCertPath }) => caCertPath),
  runtimeThere,
  sysctlOn('/proc/sys/net/ipv4/ip_forward', 'error', 'sysctl -w net.ipv4.ip_forward=1'),
  sysctlOn(
    '/proc/sys/net/bridge/bridge-nf-call-iptables',
    'warning',
    'most CNI plugins need it: modprobe br_netfilter',
  ),
  swapOff,
  ...['conntrack', 'ip', 'iptables', 'mount', 'nsenter'].map((program) => programThere(program, 'error')),
  ...['ebtables', 'ethtool', 'socat', 'tc', 'touch'].map((program) => programThere(program, 'warning')),
  kubeletThere,
  kubeletService,
  kubeletPortFree,
];
