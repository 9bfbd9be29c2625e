/** Checks the options of the kernel that containers need. Source: kubeadm's kernel validator. */
import { type Files, gunzipText } from '../../engine/sdk/index.ts';
import type { Cgroups } from './cgroups.ts';
import { type CheckContext, type Finding, ok, problem } from './check.ts';

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
const ALWAYS = [
  ...['NAMESPACES', 'NET_NS', 'PID_NS', 'IPC_NS', 'UTS_NS', 'CGROUPS', 'CGROUP_SCHED', 'CPUSETS', 'MEMCG', 'INET'],
  ...['EXT4_FS', 'PROC_FS', 'NETFILTER_XT_TARGET_REDIRECT|IP_NF_TARGET_REDIRECT', 'NETFILTER_XT_MATCH_COMMENT'],
];
const OF_V1 = ['CGROUP_CPUACCT', 'CGROUP_DEVICE', 'CGROUP_FREEZER'];
const OF_V2 = ['CGROUP_BPF'];
const OF_SCHEDULING = ['CGROUP_PIDS', 'FAIR_GROUP_SCHED'];

/** Before the requirements depended on the cgroups, all kernels needed the options of v1. */
async function requiredOptions({ holds }: CheckContext, { version }: Cgroups): Promise<string[]> {
  if (await holds('optionsByCgroups')) return [...ALWAYS, ...(version === 'v1' ? OF_V1 : OF_V2), ...OF_SCHEDULING];
  return [...ALWAYS, ...OF_V1, ...((await holds('schedulingOptions')) ? OF_SCHEDULING : [])];
}

/**
 * A kernel that has every option suits every kubelet, so its version does not matter then. If no file has the options,
 * kubeadm loads the module `configs`. Joinery does not, because a check changes nothing.
 */
export async function optionsFinding(context: CheckContext, release: string, cgroups: Cgroups): Promise<Finding> {
  const found = await configOf(context.files, release);
  if (found === undefined)
    return problem(`no file has the options of kernel ${release}`, {
      hint: 'Make the kernel show them, then run the command again: modprobe configs',
    });
  const lacks = (option: string) => !new RegExp(`^CONFIG_(${option})=[ym]$`, 'm').test(found.text);
  if (![...ALWAYS, ...OF_V1, ...OF_V2, ...OF_SCHEDULING].some(lacks)) return complete(found.path);
  const missing = (await requiredOptions(context, cgroups)).filter(lacks);
  return missing.length === 0
    ? complete(found.path)
    : problem(`${found.path} lacks ${missing.map((names) => `CONFIG_${names.split('|')[0]}`).join(', ')}`);
}

const complete = (path: string): Finding => ok(`${path} has all options that containers need`);

async function configOf(files: Files, release: string): Promise<{ path: string; text: string } | undefined> {
  for (const path of configPathsOf(release)) {
    const bytes = await files.read(path);
    if (bytes === undefined) continue;
    return { path, text: path.endsWith('.gz') ? await gunzipText(path, bytes) : bytes.toString('latin1') };
  }
  return undefined;
}
