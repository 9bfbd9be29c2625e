/**
 * The checks `Swap` and `SystemVerification` (kernel, kernel options, cgroups). Source: kubeadm's system validators.
 */
import { type Files, gunzipText } from '../../engine/sdk/index.ts';
import { cgroupFindings } from './cgroups.ts';
import { type Check, type Finding, ok, problem } from './check.ts';
import { isDocker } from './docker.ts';
import { dockerFindings } from './docker-version.ts';

export const swapOff: Check = {
  name: 'Swap',
  severity: 'error',
  warnsFrom: 31,
  passesIf: '`/proc/swaps` is empty: a kubelet does not start with swap on, unless its configuration allows it',
  hint: 'swapoff -a, and remove it from /etc/fstab to keep it off',
  async run({ files }) {
    const [, ...lines] = (await files.read('/proc/swaps'))?.toString('utf8').trim().split('\n') ?? [];
    const names = lines.map((line) => line.split(/\s/)[0]);
    return names.length === 0 ? ok('no swap is on') : problem(`swap is on: ${names.join(', ')}`);
  },
};

export const systemVerification: Check = {
  name: 'SystemVerification',
  severity: 'error',
  passesIf:
    "the kernel is Linux 3.10 or newer, has the options that containers need, and the cgroup controllers that a kubelet needs; with Docker's socket, kubeadm 1.20 supports the version of Docker",
  hint: 'Boot a kernel that has what is missing, such as the kernel of any common distribution.',
  async run(context) {
    const release = await textOf(context.files, '/proc/sys/kernel/osrelease');
    const docker = isDocker(context.inputs.criSocket) ? [context.docker().then(dockerFindings)] : [];
    const found = await Promise.all([
      kernel(context.files, release),
      options(context.files, release),
      cgroupFindings(context.files),
      ...docker,
    ]);
    return found.flat();
  },
};

const textOf = async (files: Files, path: string): Promise<string> =>
  (await files.read(path))?.toString('utf8').trim() ?? '';

const KNOWN_RELEASES = /^(3\.[1-9]\d|([4-9]|[1-9]\d+)\.\d+\.\d+)/;

async function kernel(files: Files, release: string): Promise<Finding> {
  const found = `the kernel is ${await textOf(files, '/proc/sys/kernel/ostype')} ${release}`;
  return found.includes('Linux ') && KNOWN_RELEASES.test(release) ? ok(found) : problem(found);
}

const configPathsOf = (release: string): string[] => [
  '/proc/config.gz',
  `/boot/config-${release}`,
  `/usr/src/linux-${release}/.config`,
  '/usr/src/linux/.config',
  `/usr/lib/modules/${release}/config`,
  `/usr/lib/ostree-boot/config-${release}`,
  `/usr/lib/kernel/config-${release}`,
  `/usr/src/linux-headers-${release}/.config`,
  `/lib/modules/${release}/build/.config`,
];

/** A `|` separates alternatives. */
const REQUIRED = [
  'NAMESPACES',
  'NET_NS',
  'PID_NS',
  'IPC_NS',
  'UTS_NS',
  'CGROUPS',
  'CGROUP_CPUACCT',
  'CGROUP_DEVICE',
  'CGROUP_FREEZER',
  'CGROUP_SCHED',
  'CPUSETS',
  'MEMCG',
  'INET',
  'EXT4_FS',
  'PROC_FS',
  'NETFILTER_XT_TARGET_REDIRECT|IP_NF_TARGET_REDIRECT',
  'NETFILTER_XT_MATCH_COMMENT',
];

/**
 * If no file has the options, kubeadm loads the module `configs`. Joinery does not, because a check changes nothing.
 */
async function options(files: Files, release: string): Promise<Finding> {
  for (const path of configPathsOf(release)) {
    const bytes = await files.read(path);
    if (bytes === undefined) continue;
    const text = path.endsWith('.gz') ? await gunzipText(path, bytes) : bytes.toString('latin1');
    const missing = REQUIRED.filter((names) => !new RegExp(`^CONFIG_(${names})=[ym]$`, 'm').test(text));
    return missing.length === 0
      ? ok(`${path} has all ${REQUIRED.length} options that containers need`)
      : problem(`${path} lacks ${missing.map((names) => `CONFIG_${names.split('|')[0]}`).join(', ')}`);
  }
  return problem(`no file has the options of kernel ${release}`, {
    hint: 'Make the kernel show them, then run the command again: modprobe configs',
  });
}
