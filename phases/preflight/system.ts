/** `Swap`, and `SystemVerification`: kernel, its options, cgroups. Source: kubeadm's system validators. */
import { type Files, gunzipText } from '../../engine/sdk/index.ts';
import { cgroupFindings } from './cgroups.ts';
import { bad, type Check, type Finding, good } from './check.ts';
import { isDocker } from './docker.ts';
import { dockerFindings } from './docker-version.ts';

export const swapOff: Check = {
  name: 'Swap',
  severity: 'error',
  warnsFrom: 31,
  looks: 'no swap is on (`/proc/swaps`): a kubelet does not start with it unless its configuration says so',
  hint: 'swapoff -a, and take it out of /etc/fstab to keep it off',
  async run({ files }) {
    const [, ...lines] = (await files.read('/proc/swaps'))?.toString('utf8').trim().split('\n') ?? [];
    const names = lines.map((line) => line.split(/\s/)[0]);
    return names.length === 0 ? good('no swap is on') : bad(`swap is on: ${names.join(', ')}`);
  },
};

export const systemVerification: Check = {
  name: 'SystemVerification',
  severity: 'error',
  looks:
    "Linux 3.10 or newer, built with what containers need, with the cgroup controllers that a kubelet needs; with Docker's socket, a Docker that kubeadm knew",
  hint: 'Boot a kernel that has what is missing: those of the usual distributions do.',
  async run(look) {
    const release = await textOf(look.files, '/proc/sys/kernel/osrelease');
    const docker = isDocker(look.given.criSocket) ? [look.docker().then(dockerFindings)] : [];
    const found = await Promise.all([
      kernel(look.files, release),
      options(look.files, release),
      cgroupFindings(look.files),
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
  return found.includes('Linux ') && KNOWN_RELEASES.test(release) ? good(found) : bad(found);
}

const placesOf = (release: string): string[] => [
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

/** Any of the names in one text will do. */
const REQUIRED = [
  ...['NAMESPACES', 'NET_NS', 'PID_NS', 'IPC_NS', 'UTS_NS', 'CGROUPS', 'CGROUP_CPUACCT', 'CGROUP_DEVICE'],
  ...['CGROUP_FREEZER', 'CGROUP_SCHED', 'CPUSETS', 'MEMCG', 'INET', 'EXT4_FS', 'PROC_FS'],
  ...['NETFILTER_XT_TARGET_REDIRECT|IP_NF_TARGET_REDIRECT', 'NETFILTER_XT_MATCH_COMMENT'],
];

/** kubeadm loads the module `configs` where there is no file; we only look. */
async function options(files: Files, release: string): Promise<Finding> {
  for (const path of placesOf(release)) {
    const bytes = await files.read(path);
    if (bytes === undefined) continue;
    const text = path.endsWith('.gz') ? await gunzipText(path, bytes) : bytes.toString('latin1');
    const missing = REQUIRED.filter((names) => !new RegExp(`^CONFIG_(${names})=[ym]$`, 'm').test(text));
    return missing.length === 0
      ? good(`${path} has all ${REQUIRED.length} options that containers need`)
      : bad(`${path} lacks ${missing.map((names) => `CONFIG_${names.split('|')[0]}`).join(', ')}`);
  }
  return bad(`the options of kernel ${release} are nowhere to be found`, {
    hint: 'Have the kernel show them, and look again: modprobe configs',
  });
}
