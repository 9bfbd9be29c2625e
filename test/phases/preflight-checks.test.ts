import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { MemoryMachine } from '../../engine/testing/memory-host.ts';
import { proxyFor } from '../../phases/preflight/proxy.ts';
import {
  checked,
  goodFiles,
  joinable,
  kernelConfig,
  programs,
  RELEASE,
  rowsOf,
  SOCKET,
  withKubelet,
  withoutFile,
  withoutProgram,
} from '../helpers/joinable.ts';

const SIGNAL = new AbortController().signal;
const DOCKER = { criSocket: '/var/run/dockershim.sock' };
const V1 = '/proc/cgroups';
const V2 = '/sys/fs/cgroup/cgroup.controllers';
const controllers = (...names: string[]) =>
  `#subsys_name\thierarchy\tnum_cgroups\tenabled\n${names.map((name) => `${name}\t1\t1\t1\n`).join('')}debug\t1\t1\t0\n`;
const ALL_V1 = ['cpuset', 'cpu', 'cpuacct', 'blkio', 'memory', 'devices', 'freezer', 'hugetlb', 'pids'];

/** A check that fails by one thing: its kind, what was seen, and what to type. */
interface Case {
  check: string;
  result: 'error' | 'warning';
  evidence: string;
  hint: string;
  machine?: MemoryMachine;
  given?: Record<string, unknown>;
}
const file = (path: string, content = ''): MemoryMachine => joinable({ files: { [path]: content } });
const fileAvailable = (path: string): Case => ({
  check: `FileAvailable-${path.replaceAll('/', '-')}`,
  result: 'error',
  evidence: `${path} already exists`,
  hint: 'This machine may already belong to a cluster. To remove it from there: join undo, or join reset',
  machine: file(path),
});
const setting = (path: string, hint: string, endpoint = 'api.example:6443'): Case[] => {
  const check = `FileContent-${path.replaceAll('/', '-')}`;
  const shared = { check, result: 'error' as const, hint, given: { endpoint } };
  return [
    { ...shared, evidence: `${path} is 0`, machine: both(path, '0\n') },
    { ...shared, evidence: `${path} is missing`, machine: both(path) },
  ];
};
const SIX = {
  '/proc/sys/net/bridge/bridge-nf-call-ip6tables': '1\n',
  '/proc/sys/net/ipv6/conf/default/forwarding': '1\n',
};
/** With the settings of IPv6, but for one. */
function both(path: string, content?: string): MemoryMachine {
  const machine = withoutFile(path, { files: SIX });
  return content === undefined ? machine : { ...machine, files: { ...machine.files, [path]: content } };
}
const program = (name: string, pack: string, result: Case['result']): Case => ({
  check: `FileExisting-${name}`,
  result,
  evidence: `${name} is not on PATH`,
  hint: `apt-get install ${pack}, or your distribution's package`,
  machine: withoutProgram(name),
});
const docker = (info: object, docked: MemoryMachine['services'] = { docker: { active: true } }): MemoryMachine => ({
  ...joinable({
    programs: [...programs, 'docker'],
    services: { kubelet: {}, ...docked },
    outputs: { 'docker info --format {{json .}}': { stdout: JSON.stringify({ ...DOCKER_INFO, ...info }) } },
  }),
  runtimes: {},
});
const DOCKER_INFO = { ServerVersion: '19.03.15', Driver: 'overlay2', CgroupDriver: 'systemd' };
const runtime = (told: object): MemoryMachine => joinable({ runtimes: { [SOCKET]: told } });
const kubeletService = (told: object, evidence: string, hint: string): Case => ({
  ...{ check: 'Service-Kubelet', result: 'warning', evidence, hint },
  machine: joinable({ services: { kubelet: told } }),
});
const BOOT = 'Boot a kernel that has what is missing, such as the kernel of any common distribution.';
const SWITCH = 'Enable them on the kernel command line (such as cgroup_enable=memory), then reboot.';
const SS = 'Another kubelet may be running. Find it: ss -ltnp sport = 10250';
const HOSTS = 'Add the name to /etc/hosts or to DNS: kubectl logs and kubectl exec may need it.';

const cases: Case[] = [
  {
    check: 'IsPrivilegedUser',
    result: 'error',
    evidence: 'joining requires root',
    hint: 'Run the command again with sudo.',
    given: { privileged: false },
  },
  {
    check: 'DirAvailable--etc-kubernetes-manifests',
    result: 'error',
    evidence: '/etc/kubernetes/manifests is not empty: etcd.yaml',
    hint: 'If they are not needed: rm /etc/kubernetes/manifests/*',
    machine: file('/etc/kubernetes/manifests/etcd.yaml'),
  },
  fileAvailable('/etc/kubernetes/kubelet.conf'),
  fileAvailable('/etc/kubernetes/bootstrap-kubelet.conf'),
  fileAvailable('/etc/kubernetes/pki/ca.crt'),
  { ...fileAvailable('/srv/ca.crt'), given: { caCertPath: '/srv/ca.crt' } },
  {
    check: 'CRI',
    result: 'error',
    evidence: `the container runtime at ${SOCKET} does not answer: there is no such socket`,
    hint: 'See whether it runs: systemctl status containerd. Another one is chosen by --cri-socket',
    machine: joinable({ runtimes: {} }),
  },
  {
    check: 'CRI',
    result: 'error',
    evidence: 'the container runtime at /run/other.sock does not answer: there is no such socket',
    hint: 'See whether it runs: systemctl status containerd. Another one is chosen by --cri-socket',
    given: { criSocket: 'unix:///run/other.sock' },
  },
  {
    check: 'CRI',
    result: 'error',
    evidence: `containerd 1.7.2 answers at ${SOCKET} (CRI v1), but is not ready: no runc`,
    hint: 'Read the log of the container runtime: journalctl -u containerd -n 50',
    machine: runtime({ ready: false, message: 'no runc' }),
  },
  ...setting(
    '/proc/sys/net/bridge/bridge-nf-call-iptables',
    'modprobe br_netfilter && sysctl -w net.bridge.bridge-nf-call-iptables=1',
  ),
  ...setting(
    '/proc/sys/net/ipv4/ip_forward',
    'sysctl -w net.ipv4.ip_forward=1, and add it to a file in /etc/sysctl.d to keep it',
  ),
  ...setting(
    '/proc/sys/net/bridge/bridge-nf-call-ip6tables',
    'modprobe br_netfilter && sysctl -w net.bridge.bridge-nf-call-ip6tables=1',
    '[fd00::1]:6443',
  ),
  ...setting(
    '/proc/sys/net/ipv6/conf/default/forwarding',
    'sysctl -w net.ipv6.conf.default.forwarding=1, and add it to a file in /etc/sysctl.d to keep it',
    '[fd00::1]:6443',
  ),
  {
    check: 'Swap',
    result: 'error',
    evidence: 'swap is on: /dev/sda2, /swap.img',
    hint: 'swapoff -a, and remove it from /etc/fstab to keep it off',
    machine: file('/proc/swaps', 'Filename\tType\n/dev/sda2 partition 1 0 -2\n/swap.img\tfile 1 0 -3\n'),
  },
  program('conntrack', 'conntrack', 'error'),
  program('ip', 'iproute2', 'error'),
  program('iptables', 'iptables', 'error'),
  program('mount', 'mount', 'error'),
  program('nsenter', 'util-linux', 'error'),
  program('crictl', 'cri-tools', 'error'),
  program('ebtables', 'ebtables', 'warning'),
  program('ethtool', 'ethtool', 'warning'),
  program('socat', 'socat', 'warning'),
  program('tc', 'iproute2', 'warning'),
  program('touch', 'coreutils', 'warning'),
  {
    check: 'SystemVerification',
    result: 'error',
    evidence: `the kernel is FreeBSD ${RELEASE}`,
    hint: BOOT,
    machine: file('/proc/sys/kernel/ostype', 'FreeBSD\n'),
  },
  ...['3.9.1', '2.6.32-754.el6', '6.1'].map(
    (release): Case => ({
      check: 'SystemVerification',
      result: 'error',
      evidence: `the kernel is Linux ${release}`,
      hint: BOOT,
      machine: joinable({
        files: { '/proc/sys/kernel/osrelease': `${release}\n`, [`/boot/config-${release}`]: kernelConfig() },
      }),
    }),
  ),
  {
    check: 'SystemVerification',
    result: 'error',
    evidence: `/boot/config-${RELEASE} lacks CONFIG_MEMCG, CONFIG_NETFILTER_XT_TARGET_REDIRECT`,
    hint: BOOT,
    machine: file(
      `/boot/config-${RELEASE}`,
      `# CONFIG_MEMCG is not set\n${kernelConfig('MEMCG', 'NETFILTER_XT_TARGET_REDIRECT')}`,
    ),
  },
  {
    check: 'SystemVerification',
    result: 'error',
    evidence: `no file has the options of kernel ${RELEASE}`,
    hint: 'Make the kernel show them, then run the command again: modprobe configs',
    machine: withoutFile(`/boot/config-${RELEASE}`),
  },
  {
    check: 'SystemVerification',
    result: 'error',
    evidence: 'cgroups v2 lack the controllers cpuset, pids',
    hint: SWITCH,
    machine: file(V2, 'cpu io memory hugetlb\n'),
  },
  {
    check: 'SystemVerification',
    result: 'warning',
    evidence: 'cgroups v2 lack the controllers hugetlb, io',
    hint: SWITCH,
    machine: file(V2, 'cpuset cpu memory pids\n'),
  },
  {
    check: 'SystemVerification',
    result: 'error',
    evidence: 'cgroups v1 lack the controllers memory',
    hint: SWITCH,
    machine: withoutFile(V2, {
      files: { [V1]: `${controllers(...ALL_V1.filter((name) => name !== 'memory'))}memory 0 1 0\n` },
    }),
  },
  {
    check: 'SystemVerification',
    result: 'warning',
    evidence: 'cgroups v1 lack the controllers hugetlb',
    hint: SWITCH,
    machine: withoutFile(V2, { files: { [V1]: controllers(...ALL_V1.filter((name) => name !== 'hugetlb')) } }),
  },
  {
    check: 'Hostname',
    result: 'warning',
    evidence: '/etc/hosts does not have w2, and getent is not installed',
    hint: HOSTS,
    given: { nodeName: 'w2' },
  },
  {
    check: 'Hostname',
    result: 'warning',
    evidence: 'w2 does not resolve',
    hint: HOSTS,
    given: { nodeName: 'w2' },
    machine: joinable({
      programs: [...programs, 'timeout', 'getent'],
      outputs: { 'timeout 1 getent hosts w2': { exitCode: 2 } },
    }),
  },
  {
    check: 'KubeletVersion',
    result: 'error',
    evidence: 'kubelet is not on PATH',
    hint: "Install it (apt-get install kubelet, or your distribution's package), and join again.",
    machine: withoutProgram('kubelet'),
  },
  ...[
    ['hello', 0],
    ['Kubernetes v1.20', 0],
    ['', 127],
  ].map(
    ([stdout, exitCode]): Case => ({
      check: 'KubeletVersion',
      result: 'error',
      evidence: `kubelet --version ended with ${exitCode}: ${stdout}`.trim(),
      hint: 'Run it by hand to see more: kubelet --version',
      machine: joinable({ outputs: { 'kubelet --version': { stdout: String(stdout), exitCode: Number(exitCode) } } }),
    }),
  ),
  {
    ...kubeletService({}, 'systemd has no service kubelet', "apt-get install kubelet, or your distribution's package"),
    machine: joinable({ services: {} }),
  },
  kubeletService({ enabled: false }, 'the kubelet will not start after a reboot', 'systemctl enable kubelet.service'),
  kubeletService(
    { manager: 'openrc', enabled: false },
    'the kubelet will not start after a reboot',
    'rc-update add kubelet default',
  ),
  kubeletService(
    { manager: 'none' },
    'there is no systemd and no OpenRC',
    'Start the kubelet yourself, now and after each reboot.',
  ),
  ...['/proc/net/tcp', '/proc/net/tcp6'].map(
    (path): Case => ({
      check: 'Port-10250',
      result: 'error',
      evidence: 'port 10250 is in use',
      hint: SS,
      machine: file(path, `   1: ${'0'.repeat(path.endsWith('6') ? 32 : 8)}:280A 00000000:0000 0A 0\n`),
    }),
  ),
  {
    check: 'HTTPProxy',
    result: 'warning',
    evidence: 'HTTPS_PROXY is proxy.example:3128, and NO_PROXY does not include api.example',
    hint: 'Joinery does not use the proxy, but a kubelet with the same environment would: export NO_PROXY=$NO_PROXY,api.example',
    machine: file('/proc/self/environ', 'A=B\0HTTPS_PROXY=http://me:canary@proxy.example:3128/\0NO_PROXY=.local\0'),
  },
  {
    check: 'Service-Docker',
    result: 'warning',
    evidence: 'systemd has no service docker',
    hint: "apt-get install docker, or your distribution's package",
    machine: docker({}, {}),
    given: DOCKER,
  },
  {
    check: 'Service-Docker',
    result: 'warning',
    evidence: 'the docker will not start after a reboot',
    hint: 'systemctl enable docker.service',
    machine: docker({}, { docker: { active: true, enabled: false } }),
    given: DOCKER,
  },
  {
    check: 'Service-Docker',
    result: 'error',
    evidence: 'the docker service is not running',
    hint: 'systemctl start docker.service',
    machine: docker({}, { docker: {} }),
    given: DOCKER,
  },
  {
    check: 'IsDockerSystemdCheck',
    result: 'warning',
    evidence: 'Docker uses the cgroup driver cgroupfs',
    hint: 'Put "exec-opts": ["native.cgroupdriver=systemd"] into /etc/docker/daemon.json, then: systemctl restart docker',
    machine: docker({ CgroupDriver: 'cgroupfs' }),
    given: DOCKER,
  },
  {
    check: 'IsDockerSystemdCheck',
    result: 'error',
    evidence: 'the cgroup driver of Docker is unknown',
    hint: 'Put "exec-opts": ["native.cgroupdriver=systemd"] into /etc/docker/daemon.json, then: systemctl restart docker',
    machine: docker({ CgroupDriver: undefined }),
    given: DOCKER,
  },
  {
    check: 'SystemVerification',
    result: 'warning',
    evidence: 'Docker has version 20.10.1; the newest validated version is 19.03',
    hint: 'If it does not work, use containerd: --cri-socket /run/containerd/containerd.sock',
    machine: docker({ ServerVersion: '20.10.1' }),
    given: DOCKER,
  },
  ...[
    ['1.9.0', 'Docker has version 1.9.0'],
    [undefined, 'Docker has an unknown version'],
  ].map(
    ([ServerVersion, evidence = '']): Case => ({
      check: 'SystemVerification',
      result: 'error',
      evidence,
      hint: 'Install Docker 19.03, or use containerd: --cri-socket /run/containerd/containerd.sock',
      machine: docker({ ServerVersion }),
      given: DOCKER,
    }),
  ),
  ...[
    ['vfs', 'Docker uses the storage driver vfs'],
    [undefined, 'Docker uses an unknown storage driver'],
  ].map(
    ([Driver, evidence = '']): Case => ({
      check: 'SystemVerification',
      result: 'error',
      evidence,
      hint: 'Put "storage-driver": "overlay2" into /etc/docker/daemon.json, then: systemctl restart docker',
      machine: docker({ Driver }),
      given: DOCKER,
    }),
  ),
];

describe('a check', () => {
  test.each(cases)('$check: $evidence', async ({ check, result, evidence, hint, machine = joinable(), given = {} }) => {
    const { found, error, notes } = await checked(machine, given);
    expect(found).toEqual([{ check, result, evidence, hint }]);
    if (result === 'warning') {
      expect([error, notes]).toEqual([undefined, [{ level: 'warn', text: `[${check}] ${evidence} → ${hint}` }]]);
      return;
    }
    expect(error).toMatchObject({
      code: 'E_PREFLIGHT',
      message: expect.stringContaining(`[${check}] ${evidence}\n    → ${hint}`),
    });
    const ignored = await checked(machine, { ...given, ignorePreflightErrors: [check] });
    expect([ignored.error, ignored.found]).toEqual([undefined, [{ check, result: 'ignored', evidence, hint }]]);
  });

  test.each<[string, string[], MemoryMachine, Record<string, unknown>?]>([
    ['IsPrivilegedUser', ['running as root, or with --root'], joinable()],
    ['CRI', [`containerd 1.7.2 answers at ${SOCKET} (CRI v1)`], joinable()],
    [
      'CRI',
      [`containerd 1.4.3 answers at ${SOCKET} (CRI v1alpha2)`],
      runtime({ version: '1.4.3', apiVersion: 'v1alpha2' }),
    ],
    ['CRI', ['Docker 19.03.15 answers'], docker({}), DOCKER],
    ['Service-Docker', ['systemd has the service docker, and it is enabled'], docker({}), DOCKER],
    ['IsDockerSystemdCheck', ['Docker uses the cgroup driver systemd'], docker({}), DOCKER],
    [
      'DirAvailable--etc-kubernetes-manifests',
      ['/etc/kubernetes/manifests is empty'],
      joinable({ directories: ['/etc/kubernetes/manifests'] }),
    ],
    ['Swap', ['no swap is on'], withoutFile('/proc/swaps')],
    ['FileExisting-ip', ['/usr/bin/ip'], joinable()],
    ['Hostname', ['/etc/hosts has w1'], joinable()],
    [
      'Hostname',
      ['w2 resolves to 10.0.0.8'],
      joinable({
        programs: [...programs, 'timeout', 'getent'],
        outputs: { 'timeout 1 getent hosts w2': { stdout: '10.0.0.8        w2\n' } },
      }),
      { nodeName: 'w2' },
    ],
    ['KubeletVersion', ['the kubelet has version v1.30.2'], joinable(withKubelet('v1.30.2'))],
    [
      'Service-Kubelet',
      ['openrc has the service kubelet, and it is enabled'],
      joinable({ services: { kubelet: { manager: 'openrc' } } }),
    ],
    ['Port-10250', ['nothing listens on port 10250'], joinable()],
    ['HTTPProxy', ['no proxy applies to api.example'], joinable()],
    [
      'HTTPProxy',
      ['no proxy applies to api.example'],
      file('/proc/self/environ', 'https_proxy=p:1\0no_proxy=example\0'),
    ],
    [
      'SystemVerification',
      [
        `the kernel is Linux ${RELEASE}`,
        `/boot/config-${RELEASE} has all 17 options that containers need`,
        'cgroups v2 have all controllers',
      ],
      joinable(),
    ],
    [
      'SystemVerification',
      [
        `the kernel is Linux ${RELEASE}`,
        `/boot/config-${RELEASE} has all 17 options that containers need`,
        'cgroups v1 have all controllers',
        'Docker has version 18.09.9',
        'Docker uses the storage driver zfs',
      ],
      {
        ...docker({ ServerVersion: '18.09.9', Driver: 'zfs' }),
        files: { ...withoutFile(V2).files, [V1]: controllers(...ALL_V1) },
      },
      DOCKER,
    ],
  ])('%s passes with %j', async (name, evidence, machine, given = {}) => {
    const outcome = await checked(machine, given);
    expect(rowsOf(outcome, name)).toEqual(
      evidence.map((text) => ({ check: name, result: 'ok', evidence: text, hint: '' })),
    );
    expect(outcome.found).toEqual([]);
  });
});

describe('the runtime', () => {
  const links = (...sockets: string[]) =>
    checked(joinable(), {}, async (host) => {
      for (const path of sockets) await host.apply({ kind: 'link', path, target: 'x' }, SIGNAL);
    });

  test('is asked for where there are several', async () => {
    const { found } = await links(SOCKET, '/var/run/crio/crio.sock');
    expect(found).toEqual([
      {
        check: 'CRI',
        result: 'error',
        evidence:
          'this machine has several container runtimes: unix:///run/containerd/containerd.sock, unix:///var/run/crio/crio.sock',
        hint: 'Say which one: --cri-socket unix:///run/containerd/containerd.sock',
      },
    ]);
  });

  test('is the one whose socket is there', async () => {
    expect((await links('/var/run/cri-dockerd.sock')).found).toMatchObject([
      { check: 'CRI', evidence: expect.stringContaining('/var/run/cri-dockerd.sock') },
    ]);
  });

  test('that is a Docker which does not answer fails every check of it', async () => {
    for (const output of [{ exitCode: 1, stderr: 'is the daemon running?' }, { stdout: 'no JSON' }]) {
      const machine = docker({});
      const outputs = { ...machine.outputs, 'docker info --format {{json .}}': output };
      const { found } = await checked({ ...machine, outputs }, DOCKER);
      expect(found.map(({ check }) => check)).toEqual(['CRI', 'IsDockerSystemdCheck', 'SystemVerification']);
      expect(found[0]?.evidence).toMatch(/^docker info .* ended with [01]: (is the daemon running\?|no JSON)$/);
    }
  });
});

describe('ip_forward, for a kubelet of today', () => {
  test.each([
    ['10.0.0.1:6443', 'error'],
    ['api.example:6443', 'warning'],
    ['[fd00::1]:6443', 'warning'],
    [undefined, 'warning'],
  ])('is for the endpoint %s: %s', async (endpoint, result) => {
    const files = { ...SIX, '/proc/sys/net/ipv4/ip_forward': '0' };
    const { found } = await checked(joinable({ ...withKubelet('v1.33.1'), files }), { endpoint });
    expect(found).toEqual([expect.objectContaining({ check: 'FileContent--proc-sys-net-ipv4-ip_forward', result })]);
  });
});

describe('the options of the kernel', () => {
  test.each([
    '/usr/src/linux-REL/.config',
    '/usr/src/linux/.config',
    '/usr/lib/modules/REL/config',
    '/usr/lib/ostree-boot/config-REL',
    '/usr/lib/kernel/config-REL',
    '/usr/src/linux-headers-REL/.config',
    '/lib/modules/REL/build/.config',
  ])('are looked for in %s', async (place) => {
    const path = place.replace('REL', RELEASE);
    const machine = withoutFile(`/boot/config-${RELEASE}`, { files: { [path]: kernelConfig() } });
    expect((await checked(machine)).found).toEqual([]);
  });

  const packed = (bytes: Buffer) => (host: { apply(change: never, signal: AbortSignal): Promise<void> }) => {
    const change = { kind: 'file', path: '/proc/config.gz', content: bytes, mode: 0o444, secret: false };
    return host.apply(change as never, SIGNAL);
  };

  test('are first read from what the kernel itself tells, packed', async () => {
    const { found } = await checked(joinable(), {}, packed(gzipSync(kernelConfig('INET'))));
    expect(found).toMatchObject([{ result: 'error', evidence: '/proc/config.gz lacks CONFIG_INET' }]);
  });

  test.each<[string, Buffer]>([
    ['cannot be unpacked', Buffer.from('nonsense')],
    ['is far too large', gzipSync(Buffer.alloc(5 << 20))],
  ])('are not taken from a file that %s', async (_, bytes) => {
    const { found } = await checked(joinable(), {}, packed(bytes));
    expect(found).toMatchObject([
      { check: 'SystemVerification', evidence: expect.stringMatching(/^\/proc\/config\.gz: /) },
    ]);
  });

  test('may have the older name of the redirection', async () => {
    const config = `${kernelConfig('NETFILTER_XT_TARGET_REDIRECT')}CONFIG_IP_NF_TARGET_REDIRECT=m\n`;
    expect((await checked(file(`/boot/config-${RELEASE}`, config))).found).toEqual([]);
  });

  test('are those of this line only', async () => {
    const config = `${kernelConfig('INET')}CONFIG_INET_DIAG=y\nCONFIG_INET=n\n`;
    expect((await checked(file(`/boot/config-${RELEASE}`, config))).found).toHaveLength(1);
  });
});

test('what was seen cannot command a terminal', async () => {
  const { found } = await checked(file('/proc/swaps', 'Filename\n/dev/\u001b[2Jx 1\n'));
  expect(found[0]?.evidence).toBe('swap is on: /dev/ [2Jx');
  expect(goodFiles['/proc/swaps']).not.toContain('\u001b');
});

describe('the proxy for a host', () => {
  const PROXY = 'HTTPS_PROXY=http://proxy:3128';
  test.each<[string, string[], string | undefined]>([
    ['api.example', [], undefined],
    ['api.example', ['HTTP_PROXY=http://proxy:3128', 'ALL_PROXY=http://proxy:3128'], undefined],
    ['api.example', ['HTTPS_PROXY='], undefined],
    ['api.example', [PROXY], 'proxy:3128'],
    ['api.example', ['https_proxy=proxy:3128'], 'proxy:3128'],
    ['api.example', ['HTTPS_PROXY=http://me:secret@proxy:3128'], 'proxy:3128'],
    ['api.example', ['HTTPS_PROXY=::::'], 'not a URL'],
    ['localhost', [PROXY], undefined],
    ['127.0.0.53', [PROXY], undefined],
    ['::1', [PROXY], undefined],
    ['10.0.0.1', [PROXY, 'NO_PROXY=*'], undefined],
    ['10.0.0.1', [PROXY, 'no_proxy=10.0.0.1'], undefined],
    ['10.0.0.1', [PROXY, 'NO_PROXY=10.0.0.1:6443'], undefined],
    ['10.0.0.1', [PROXY, 'NO_PROXY=10.0.0.10'], 'proxy:3128'],
    ['10.0.0.1', [PROXY, 'NO_PROXY= 192.168.0.0/16 , 10.0.0.0/8 '], undefined],
    ['11.0.0.1', [PROXY, 'NO_PROXY=10.0.0.0/8'], 'proxy:3128'],
    ['10.0.0.1', [PROXY, 'NO_PROXY=fd00::/8'], 'proxy:3128'],
    ['fd00::1', [PROXY, 'NO_PROXY=fd00::/8'], undefined],
    ['fd00::1', [PROXY, 'NO_PROXY=fe80::/10,::/1'], 'proxy:3128'],
    ['fd00::1', [PROXY, 'NO_PROXY=[fd00::1]:6443'], undefined],
    ['api.example', [PROXY, 'NO_PROXY=0.0.0.0/0'], 'proxy:3128'],
    ['api.example', [PROXY, 'NO_PROXY=example'], undefined],
    ['api.example', [PROXY, 'NO_PROXY=.EXAMPLE'], undefined],
    ['api.example', [PROXY, 'NO_PROXY=*.example'], undefined],
    ['example', [PROXY, 'NO_PROXY=.example'], 'proxy:3128'],
    ['example', [PROXY, 'NO_PROXY=example'], undefined],
    ['myexample', [PROXY, 'NO_PROXY=example'], 'proxy:3128'],
    ['api.example', [PROXY, 'NO_PROXY=,,'], 'proxy:3128'],
  ])('%s with %j is %s', (host, variables, expected) => {
    expect(proxyFor(host, variables)).toBe(expected);
  });
});
