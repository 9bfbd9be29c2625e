import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { fail } from '../../engine/sdk/index.ts';
import { type MemoryMachine, memoryHost } from '../../engine/testing/memory-host.ts';
import preflight from '../../phases/preflight/index.ts';
import { runPhase } from '../helpers/contract.ts';
import {
  checked,
  goodFiles,
  input,
  joinable,
  kernelConfig,
  programs,
  RELEASE,
  rowsOf,
  SOCKET,
  withKubelet,
  withoutFile,
} from '../helpers/joinable.ts';
import { ALL_V1, controllers, DOCKER, docker, file, runtime, SIGNAL, SIX, V1, V2 } from '../helpers/preflight-cases.ts';

describe('preflight checks', () => {
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
      'Service-kubelet',
      ['openrc has the service kubelet, and it is enabled'],
      joinable({ services: { kubelet: { manager: 'openrc' } } }),
    ],
    ['Port-10250', ['nothing listens on port 10250'], joinable()],
    ['HTTPProxy', ['no proxy applies to api.example'], joinable()],
    [
      'HTTPProxy',
      ['no proxy applies to api.example'],
      joinable({ environment: { https_proxy: 'p:1', no_proxy: 'example' } }),
    ],
    [
      'SystemVerification',
      [
        `the kernel is Linux ${RELEASE}`,
        `/boot/config-${RELEASE} has all options that containers need`,
        'cgroups v2 have all controllers',
      ],
      joinable(),
    ],
    [
      'SystemVerification',
      [
        `the kernel is Linux ${RELEASE}`,
        `/boot/config-${RELEASE} has all options that containers need`,
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
  ])('the check %s passes with %j', async (name, evidence, machine, overrides = {}) => {
    const outcome = await checked(machine, overrides);
    expect(rowsOf(outcome, name)).toEqual(
      evidence.map((text) => ({ check: name, result: 'ok', evidence: text, hint: '' })),
    );
    expect(outcome.found).toEqual([]);
  });
});

describe('the container runtime', () => {
  const CRIO = '/var/run/crio/crio.sock';
  /** A machine with these sockets, of which some answer. */
  const withSockets = (sockets: readonly string[], answering: readonly string[]) =>
    checked(joinable({ runtimes: Object.fromEntries(answering.map((path) => [path, {}])) }), {}, async (host) => {
      for (const path of sockets) await host.apply({ kind: 'link', path, target: 'x' }, SIGNAL);
    });

  test('preflight fails if there are several container runtimes', async () => {
    const { found } = await withSockets([SOCKET, CRIO], [SOCKET, CRIO]);
    expect(found).toEqual([
      {
        check: 'CRI',
        result: 'error',
        evidence:
          'this machine has several container runtimes: unix:///run/containerd/containerd.sock, unix:///var/run/crio/crio.sock',
        hint: 'Choose one: --cri-socket unix:///run/containerd/containerd.sock',
      },
    ]);
  });

  test('preflight uses the container runtime whose socket exists', async () => {
    expect((await withSockets(['/var/run/cri-dockerd.sock'], [SOCKET])).found).toMatchObject([
      { check: 'CRI', evidence: expect.stringContaining('/var/run/cri-dockerd.sock') },
    ]);
  });

  test('of two sockets, a dead one does not count as a container runtime', async () => {
    const outcome = await withSockets([SOCKET, CRIO], [CRIO]);
    expect([outcome.found, rowsOf(outcome, 'CRI')]).toMatchObject([
      [],
      [{ evidence: expect.stringContaining(`answers at ${CRIO}`) }],
    ]);
  });

  test('a plain file in the place of a socket does not count as a container runtime', async () => {
    const outcome = await checked(joinable({ files: { [CRIO]: '' } }));
    expect([outcome.found, rowsOf(outcome, 'CRI')]).toMatchObject([
      [],
      [{ evidence: expect.stringContaining(`answers at ${SOCKET}`) }],
    ]);
  });

  test.each<[string, object, string[]]>([
    ['v1.25.16', { apiVersion: 'v1alpha2' }, []],
    ['v1.26.0', { apiVersion: 'v1alpha2' }, ['error CRI']],
    ['v1.26.0', {}, []],
    ['v1.35.9', { runtimeConfig: false }, []],
    ['v1.36.2', { runtimeConfig: false }, ['warning ContainerRuntimeVersion']],
    ['v1.36.2', {}, []],
  ])('a kubelet %s and a container runtime %j give %j', async (version, status, expected) => {
    const { found } = await checked(joinable({ ...withKubelet(version), runtimes: { [SOCKET]: status } }));
    expect(found.map(({ check, result }) => `${result} ${check}`)).toEqual(expected);
  });

  test('a container runtime that fails to report its configuration is an error for a kubelet 1.36', async () => {
    const host = memoryHost(joinable(withKubelet('v1.36.2')));
    const broken: typeof host = {
      ...host,
      async read(query, signal) {
        if (query.kind === 'runtime-config')
          throw fail('E_CRI_REFUSED', { socket: SOCKET, what: 'tell', message: 'no' });
        return host.read(query, signal);
      },
    };
    expect((await runPhase(preflight, input, broken)).error).toMatchObject({
      message: expect.stringContaining('[ContainerRuntimeVersion] the container runtime at'),
    });
  });
});

describe('ip_forward for a recent kubelet', () => {
  test.each([
    ['10.0.0.1:6443', ['error']],
    ['api.example:6443', []],
    ['[fd00::1]:6443', []],
    [undefined, []],
  ])('the results of ip_forward for the endpoint %s are %j', async (endpoint, results) => {
    const files = { ...SIX, '/proc/sys/net/ipv4/ip_forward': '0' };
    const { found } = await checked(joinable({ ...withKubelet('v1.33.1'), files }), { endpoint });
    expect(found.map(({ result }) => result)).toEqual(results);
  });
});

describe('the kernel options', () => {
  test.each([
    '/usr/src/linux-REL/.config',
    '/usr/src/linux/.config',
    '/usr/lib/modules/REL/config',
    '/usr/lib/ostree-boot/config-REL',
    '/usr/lib/kernel/config-REL',
    '/usr/src/linux-headers-REL/.config',
    '/lib/modules/REL/build/.config',
  ])('preflight reads the kernel options from %s', async (place) => {
    const path = place.replace('REL', RELEASE);
    const machine = withoutFile(`/boot/config-${RELEASE}`, { files: { [path]: kernelConfig() } });
    expect((await checked(machine)).found).toEqual([]);
  });

  const packed = (bytes: Buffer) => (host: { apply(change: never, signal: AbortSignal): Promise<void> }) => {
    const change = { kind: 'file', path: '/proc/config.gz', content: bytes, mode: 0o444, secret: false };
    return host.apply(change as never, SIGNAL);
  };

  test('preflight prefers the compressed options of the running kernel', async () => {
    const { found } = await checked(joinable(), {}, packed(gzipSync(kernelConfig('INET'))));
    expect(found).toMatchObject([{ result: 'error', evidence: '/proc/config.gz lacks CONFIG_INET' }]);
  });

  test.each<[string, Buffer]>([
    ['cannot be unpacked', Buffer.from('nonsense')],
    ['is far too large', gzipSync(Buffer.alloc(5 << 20))],
  ])('preflight does not read the kernel options from a file that %s', async (_, bytes) => {
    const { found } = await checked(joinable(), {}, packed(bytes));
    expect(found).toMatchObject([
      { check: 'SystemVerification', evidence: expect.stringMatching(/^\/proc\/config\.gz: /) },
    ]);
  });

  test('preflight accepts the older name of an option', async () => {
    const config = `${kernelConfig('NETFILTER_XT_TARGET_REDIRECT')}CONFIG_IP_NF_TARGET_REDIRECT=m\n`;
    expect((await checked(file(`/boot/config-${RELEASE}`, config))).found).toEqual([]);
  });

  test('preflight matches an option as a whole line', async () => {
    const config = `${kernelConfig('INET')}CONFIG_INET_DIAG=y\nCONFIG_INET=n\n`;
    expect((await checked(file(`/boot/config-${RELEASE}`, config))).found).toHaveLength(1);
  });
});

test('preflight removes control characters from the evidence', async () => {
  const { found } = await checked(file('/proc/swaps', 'Filename\n/dev/\u001b[2Jx 1\n'));
  expect(found[0]?.evidence).toBe('swap is on: /dev/ [2Jx');
  expect(goodFiles['/proc/swaps']).not.toContain('\u001b');
});
