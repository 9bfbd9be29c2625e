/** Checks the cgroup controllers that a kubelet needs. Source: kubeadm's cgroups validator. */
import type { Files } from '../../engine/sdk/index.ts';
import { type Finding, ok, problem } from './check.ts';

const HINT = 'Enable them on the kernel command line (such as cgroup_enable=memory), then reboot.';

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
  const lacks = (names: string[]) => `cgroups ${version} lack the controllers ${names.join(', ')}`;
  if (missing.length + missed.length === 0) return [ok(`cgroups ${version} have all controllers`)];
  return [
    ...(missing.length > 0 ? [problem(lacks(missing), { hint: HINT })] : []),
    ...(missed.length > 0 ? [problem(lacks(missed), { severity: 'warning' as const, hint: HINT })] : []),
  ];
}

/**
 * The file exists at the root of a v2 hierarchy only. In v2, devices and freezer are not controllers but always
 * available.
 */
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
