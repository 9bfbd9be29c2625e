/** Machines that fail one preflight check each. */
import { expect, test } from 'vitest';
import type { MemoryMachine } from '../../engine/testing/memory-host.ts';
import { checked, joinable, programs, SOCKET, withoutFile, withoutProgram } from './joinable.ts';

export const SIGNAL = new AbortController().signal;
export const DOCKER = { criSocket: '/var/run/dockershim.sock' };
export const V1 = '/proc/cgroups';
export const V2 = '/sys/fs/cgroup/cgroup.controllers';
export const controllers = (...names: string[]) =>
  `#subsys_name\thierarchy\tnum_cgroups\tenabled\n${names.map((name) => `${name}\t1\t1\t1\n`).join('')}debug\t1\t1\t0\n`;
export const ALL_V1 = ['cpuset', 'cpu', 'cpuacct', 'blkio', 'memory', 'devices', 'freezer', 'hugetlb', 'pids'];

/** A check that fails for one reason: its kind, the evidence, and the command that fixes it. */
export interface Case {
  check: string;
  result: 'error' | 'warning';
  evidence: string;
  hint: string;
  machine?: MemoryMachine;
  overrides?: Record<string, unknown>;
}
export const file = (path: string, content = ''): MemoryMachine => joinable({ files: { [path]: content } });
export const fileAvailable = (path: string): Case => ({
  check: `FileAvailable-${path.replaceAll('/', '-')}`,
  result: 'error',
  evidence: `${path} already exists`,
  hint: 'This machine may already belong to a cluster. To leave it: join reset',
  machine: file(path),
});
export const setting = (path: string, hint: string, endpoint = 'api.example:6443'): Case[] => {
  const check = `FileContent-${path.replaceAll('/', '-')}`;
  const shared = { check, result: 'error' as const, hint, overrides: { endpoint } };
  return [
    { ...shared, evidence: `${path} is 0`, machine: both(path, '0\n') },
    { ...shared, evidence: `${path} is missing`, machine: both(path) },
  ];
};
export const SIX = {
  '/proc/sys/net/bridge/bridge-nf-call-ip6tables': '1\n',
  '/proc/sys/net/ipv6/conf/default/forwarding': '1\n',
};
/** A machine with all settings of IPv6 except one. */
export function both(path: string, content?: string): MemoryMachine {
  const machine = withoutFile(path, { files: SIX });
  return content === undefined ? machine : { ...machine, files: { ...machine.files, [path]: content } };
}
export const program = (name: string, pack: string, result: Case['result']): Case => ({
  check: `FileExisting-${name}`,
  result,
  evidence: `${name} is not on PATH`,
  hint: `apt-get install ${pack}, or your distribution's package`,
  machine: withoutProgram(name),
});
export const docker = (
  info: object,
  docked: MemoryMachine['services'] = { docker: { active: true } },
): MemoryMachine => ({
  ...joinable({
    programs: [...programs, 'docker'],
    services: { kubelet: {}, ...docked },
    outputs: { 'docker info --format {{json .}}': { stdout: JSON.stringify({ ...DOCKER_INFO, ...info }) } },
  }),
  runtimes: {},
});
export const DOCKER_INFO = { ServerVersion: '19.03.15', Driver: 'overlay2', CgroupDriver: 'systemd' };
export const runtime = (status: object): MemoryMachine => joinable({ runtimes: { [SOCKET]: status } });
export const kubeletService = (status: object, evidence: string, hint: string): Case => ({
  check: 'Service-kubelet',
  result: 'warning',
  evidence,
  hint,
  machine: joinable({ services: { kubelet: status } }),
});
export const BOOT = 'Boot a kernel that has these, such as the kernel of any common distribution.';
export const SWITCH = 'Enable them on the kernel command line (such as cgroup_enable=memory), then reboot.';
export const SS = 'Another kubelet may be running. Find it: ss -ltnp sport = 10250';
export const HOSTS = 'Add the name to /etc/hosts or to DNS: kubectl logs and kubectl exec may need it.';

/** A test for each case: the check fails with this result, and only this one. */
export function itFails(cases: readonly Case[]): void {
  test.each(cases)(
    '$check: $evidence',
    async ({ check, result, evidence, hint, machine = joinable(), overrides = {} }) => {
      const { found, error, notes } = await checked(machine, overrides);
      expect(found).toEqual([{ check, result, evidence, hint }]);
      if (result === 'warning') {
        expect([error, notes]).toEqual([undefined, [{ level: 'warn', text: `[${check}] ${evidence} → ${hint}` }]]);
        return;
      }
      expect(error).toMatchObject({
        code: 'E_PREFLIGHT',
        message: expect.stringContaining(`[${check}] ${evidence}\n    → ${hint}`),
      });
      const ignored = await checked(machine, { ...overrides, ignorePreflightErrors: [check] });
      expect([ignored.error, ignored.found]).toEqual([undefined, [{ check, result: 'ignored', evidence, hint }]]);
    },
  );
}
