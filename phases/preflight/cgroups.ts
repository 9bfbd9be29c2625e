/** Checks the version of the cgroups and the controllers that a kubelet needs. Source: kubeadm's cgroups validator. */
import type { Files } from '../../engine/sdk/index.ts';
import { type CheckContext, type Finding, ok, problem } from './check.ts';

const ROOT = '/sys/fs/cgroup';
const HINT = 'Enable them on the kernel command line (such as cgroup_enable=memory), then reboot.';
const SWITCH_TO_V2 =
  'Boot with systemd.unified_cgroup_hierarchy=1, or set failCgroupV1: false in the configuration of the kubelets';

const NEEDS = {
  v1: {
    required: ['cpu', 'cpuacct', 'cpuset', 'devices', 'freezer', 'memory', 'pids'],
    optional: ['hugetlb', 'blkio'],
  },
  v2: { required: ['cpu', 'cpuset', 'devices', 'freezer', 'memory', 'pids'], optional: ['hugetlb', 'io'] },
};

export interface Cgroups {
  version: 'v1' | 'v2';
  controllers: Set<string>;
}

export async function cgroupFindings(context: CheckContext, { version, controllers }: Cgroups): Promise<Finding[]> {
  const { required, optional } = NEEDS[version];
  const without = (names: string[]) => names.filter((name) => !controllers.has(name));
  const [missing, missed] = [without(required), without(optional)];
  const lacks = (names: string[]) => `cgroups ${version} lack the controllers ${names.join(', ')}`;
  const old = version === 'v1' ? await oldVersion(context) : [];
  if (missing.length + missed.length + old.length === 0) return [ok(`cgroups ${version} have all controllers`)];
  return [
    ...old,
    ...(missing.length > 0 ? [problem(lacks(missing), { hint: HINT })] : []),
    ...(missed.length > 0 ? [problem(lacks(missed), { severity: 'warning' as const, hint: HINT })] : []),
  ];
}

/** Only `preflight-cluster` knows whether the kubelet's configuration accepts cgroups v1, so it decides in a join. */
async function oldVersion({ holds, kubeletVersion, inputs }: CheckContext): Promise<Finding[]> {
  if (await holds('cgroupV1Refused')) {
    if (!inputs.standalone) return [];
    const evidence =
      `this machine has cgroups v1, and a kubelet ${await kubeletVersion()} does not start on them unless its ` +
      'failCgroupV1 is false';
    return [problem(evidence, { hint: SWITCH_TO_V2 })];
  }
  if (!(await holds('cgroupV1Warns'))) return [];
  const evidence = 'this machine has cgroups v1, which later kubelets do not support';
  return [problem(evidence, { severity: 'warning', hint: 'Boot with systemd.unified_cgroup_hierarchy=1.' })];
}

export async function cgroupsOf(files: Files): Promise<Cgroups> {
  const read = async (path: string) => (await files.read(path))?.toString('utf8');
  const unified = await read(`${ROOT}/cgroup.controllers`);
  // The file exists at the root of a v2 hierarchy only.
  if (unified !== undefined) {
    const words = unified.trim().split(/\s+/);
    return {
      version: 'v2',
      controllers: new Set([...words, 'devices', ...((await canFreeze(files)) ? ['freezer'] : [])]),
    };
  }
  const rows = ((await read('/proc/cgroups')) ?? '').split('\n').map((line) => line.split(/\s+/));
  const on = rows.filter(([name = '#', , , isOn = '0']) => !name.startsWith('#') && isOn !== '0');
  return { version: 'v1', controllers: new Set(on.map(([name = '']) => name)) };
}

/**
 * In v2, devices and freezer are not controllers. Every kernel with v2 has devices; Linux 5.2 brought the freezer, and
 * every group but the root has its file. kubeadm creates a group to see it.
 */
async function canFreeze(files: Files): Promise<boolean> {
  for (const name of ['init.scope', 'system.slice', 'user.slice'])
    if ((await files.stat(`${ROOT}/${name}/cgroup.procs`)) !== undefined)
      return (await files.stat(`${ROOT}/${name}/cgroup.freeze`)) !== undefined;
  return true;
}
