/** The cgroup controllers that a kubelet needs. Source: kubeadm's cgroups validator. */
import type { Files } from '../../engine/sdk/index.ts';
import { bad, type Finding, good } from './check.ts';

const HINT = 'Switch them on: cgroup_enable=memory and the like, on the kernel command line; then reboot.';

const NEEDS = {
  v1: {
    required: ['cpu', 'cpuacct', 'cpuset', 'devices', 'freezer', 'memory', 'pids'],
    optional: ['hugetlb', 'blkio'],
  },
  v2: { required: ['cpu', 'cpuset', 'devices', 'freezer', 'memory', 'pids'], optional: ['hugetlb', 'io'] },
};

export async function cgroupFindings(files: Files): Promise<Finding[]> {
  const { version, controllers } = await enabled(files);
  const { required, optional } = NEEDS[version];
  const without = (names: string[]) => names.filter((name) => !controllers.has(name));
  const [missing, missed] = [without(required), without(optional)];
  const told = (names: string[]) => `cgroups ${version} without ${names.join(', ')}`;
  if (missing.length + missed.length === 0) return [good(`cgroups ${version} with every controller`)];
  return [
    ...(missing.length > 0 ? [bad(told(missing), { hint: HINT })] : []),
    ...(missed.length > 0 ? [bad(told(missed), { severity: 'warning' as const, hint: HINT })] : []),
  ];
}

/** The file is at the root of a v2 hierarchy only. There, devices and freezer are no controllers, and always there. */
async function enabled(files: Files): Promise<{ version: 'v1' | 'v2'; controllers: Set<string> }> {
  const unified = await files.read('/sys/fs/cgroup/cgroup.controllers');
  if (unified !== undefined)
    return {
      version: 'v2',
      controllers: new Set([...unified.toString('utf8').trim().split(/\s+/), 'devices', 'freezer']),
    };
  const table = (await files.read('/proc/cgroups'))?.toString('utf8') ?? '';
  const rows = table.split('\n').map((line) => line.split(/\s+/));
  const on = rows.filter(([name = '#', , , isOn = '0']) => !name.startsWith('#') && isOn !== '0');
  return { version: 'v1', controllers: new Set(on.map(([name = '']) => name)) };
}
