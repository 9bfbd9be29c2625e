import { describe, expect, test } from 'vitest';
import { nodeRef } from '../../engine/node/index.ts';
import { type MemoryHost, type MemoryMachine, memoryHost } from '../../engine/testing/memory-host.ts';
import preflightCluster from '../../phases/preflight-cluster/index.ts';
import { authority, FakeCluster, issue, NOW, SERVER, TOKEN, TOKEN_SECRET } from '../helpers/cluster.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';
import { heldIdentity } from '../helpers/node.ts';

const ca = authority();
const SOCKET = '/run/containerd/containerd.sock';
const CONFIG = '/etc/containerd/config.toml';
const input = {
  identity: { server: SERVER, ca: ca.pem, token: TOKEN },
  nodeName: 'w1',
  kubeletVersion: 'v1.30.2',
  clusterConfiguration: { kubernetesVersion: 'v1.30.0' },
  kubeletConfiguration: { kind: 'KubeletConfiguration', cgroupDriver: 'systemd' },
};
const ready = { status: { conditions: [{ type: 'Ready', status: 'True' }] } };

const machine = (change: MemoryMachine = {}, serving = new FakeCluster(ca)): MemoryMachine => ({
  now: () => NOW,
  send: serving.send,
  runtimes: { [SOCKET]: { cgroupDriver: 'systemd' } },
  ...change,
});
const look = async (host: MemoryHost, overrides: Record<string, unknown> = {}) => {
  const { error, result } = await runPhase(preflightCluster, { ...input, ...overrides }, host);
  return { error, notes: result.steps[0]?.notes };
};
const within = (serving: FakeCluster, files: Record<string, string> = {}) => memoryHost(machine({ files }, serving));

itKeepsThePhaseContract(preflightCluster, {
  input,
  machine: () => machine(),
  secrets: [TOKEN_SECRET],
  changesNothing: true,
});
test('a suitable machine passes without notes and with one request', async () => {
  const host = memoryHost(machine());
  expect(await look(host)).toEqual({ error: undefined, notes: [] });
  expect(host.sent.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /api/v1/nodes/w1']);
});

describe('the node name', () => {
  const taken = () => {
    const fake = new FakeCluster(ca);
    fake.put(nodeRef('w1'), ready);
    return fake;
  };
  const held = issue(ca);
  const identity = heldIdentity(SERVER, ca.pem, held);

  test('preflight-cluster refuses a node name that a Ready node has', async () => {
    const { error } = await look(within(taken()));
    expect(error).toMatchObject({ code: 'E_NODE_EXISTS', facts: { node: 'w1' }, exitCode: 5 });
  });

  test('a taken node name cannot be ignored', async () => {
    const { error } = await look(within(taken()), { ignorePreflightErrors: ['all'] });
    expect(error).toMatchObject({ code: 'E_NODE_EXISTS' });
  });

  test('preflight-cluster accepts the name of a node that is not Ready', async () => {
    const fake = new FakeCluster(ca);
    fake.put(nodeRef('w1'), { status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } });
    expect((await look(within(fake))).error).toBeUndefined();
  });

  test("preflight-cluster accepts its own name if the cluster accepts the machine's identity", async () => {
    const host = within(taken(), identity);
    expect((await look(host)).error).toBeUndefined();
    expect(host.sent.at(-1)?.as).toMatchObject({ certificate: { pem: held.pem } });
  });

  test.each<[string, Record<string, string>, FakeCluster]>([
    ['has expired', heldIdentity(SERVER, ca.pem, issue(ca, { notAfter: new Date(NOW.getTime() - 1) })), taken()],
    ["is another node's", heldIdentity(SERVER, ca.pem, issue(ca, { user: 'system:node:w2' })), taken()],
    [
      'is no longer accepted',
      identity,
      (() => {
        const fake = taken();
        let asked = 0;
        fake.answers.set('GET /api/v1/nodes/w1', () =>
          ++asked === 1 ? fake.answer(200, { metadata: { name: 'w1' }, ...ready }) : fake.answer(401, {}),
        );
        return fake;
      })(),
    ],
  ])('preflight-cluster refuses the node name if the identity on the machine %s', async (_, files, serving) => {
    expect((await look(within(serving, files))).error).toMatchObject({ code: 'E_NODE_EXISTS' });
  });

  test.each([
    [401, 'E_API_UNAUTHORIZED'],
    [403, 'E_API_FORBIDDEN'],
    [503, 'E_API_UNAVAILABLE'],
  ])('preflight-cluster fails once if the node name cannot be read (%i)', async (status, code) => {
    const serving = new FakeCluster(ca);
    serving.answers.set('GET /api/v1/nodes/w1', serving.answer(status, {}));
    expect(await look(within(serving))).toMatchObject({ error: { code }, notes: [] });
  });
});

describe('a cluster that denies reading Nodes', () => {
  const refusing = (gitVersion: string) => {
    const fake = new FakeCluster(ca);
    fake.answers.set('GET /api/v1/nodes/w1', fake.answer(403, { message: 'no' }));
    fake.answers.set('GET /version', fake.answer(200, { gitVersion }));
    return within(fake);
  };

  test('preflight-cluster warns up to 1.17 if Nodes cannot be read', async () => {
    expect(await look(refusing('v1.17.9'))).toEqual({
      error: undefined,
      notes: [
        {
          level: 'warn',
          text: 'whether another machine is w1 is not known: a cluster of v1.17.9 does not show its Nodes to who joins',
        },
      ],
    });
  });

  test('preflight-cluster fails from 1.18 on if Nodes cannot be read', async () => {
    expect((await look(refusing('v1.18.0'))).error).toMatchObject({ code: 'E_API_FORBIDDEN' });
  });
});

describe('the clock of the API server', () => {
  test.each([
    [-3_600_000, true],
    [61_000, true],
    [59_000, false],
    [undefined, false],
  ])('a clock difference of %s ms is refused: %s', async (clockSkewMs, refused) => {
    const serving = new FakeCluster(ca);
    serving.clockSkewMs = clockSkewMs;
    const { error } = await look(within(serving), { ignorePreflightErrors: ['all'] });
    if (refused) expect(error).toMatchObject({ code: 'E_CLOCK_SKEW', facts: { server: SERVER }, exitCode: 12 });
    else expect(error).toBeUndefined();
  });
});

describe('the version of the kubelet', () => {
  test.each([
    ['v1.30.2', 'v1.30.0', true],
    ['v1.30.0', 'v1.30.9', true],
    ['v1.27.16', 'v1.30.0', true],
    ['v1.26.15', 'v1.30.0', false],
    ['v1.31.0', 'v1.30.14', false],
    ['v1.31.0-alpha.1', 'v1.30.0', false],
    ['v1.9.0', '1.10.3', true],
    ['v1.20.2', 'v1.20.2', true],
  ])('a kubelet of %s fits a cluster of %s: %s', async (kubeletVersion, kubernetesVersion, fits) => {
    const overrides = { kubeletVersion, clusterConfiguration: { kubernetesVersion } };
    const { error } = await look(memoryHost(machine()), overrides);
    if (fits) expect(error).toBeUndefined();
    else
      expect(error).toMatchObject({
        code: 'E_VERSION_SKEW',
        facts: { kubelet: kubeletVersion, cluster: kubernetesVersion, minorsMax: 3 },
        exitCode: 6,
      });
  });

  test.each([
    ['v1.26.15', 'v1.28.0', true],
    ['v1.25.16', 'v1.28.0', true],
    ['v1.24.17', 'v1.28.0', false],
    ['v1.25.16', 'v1.27.0', true],
    ['v1.24.17', 'v1.27.0', false],
  ])('a kubelet of %s is not too old for a cluster of %s: %s', async (kubeletVersion, kubernetesVersion, fits) => {
    const overrides = { kubeletVersion, clusterConfiguration: { kubernetesVersion } };
    const { error } = await look(memoryHost(machine()), overrides);
    if (fits) expect(error).toBeUndefined();
    else expect(error).toMatchObject({ code: 'E_VERSION_SKEW' });
  });

  test('a kubelet that is two minor versions newer than the cluster cannot be ignored, as with kubeadm', async () => {
    const overrides = { kubeletVersion: 'v1.32.0', ignorePreflightErrors: ['all'] };
    expect((await look(memoryHost(machine()), overrides)).error).toMatchObject({
      code: 'E_VERSION_TOO_NEW',
      facts: { kubelet: 'v1.32.0', cluster: 'v1.30.0' },
    });
  });

  test('a version skew can be ignored, and is still reported', async () => {
    for (const ignored of [{ ignorePreflightErrors: ['kubeletversion'] }, { ignoreChecksErrors: ['all'] }]) {
      const { error, notes } = await look(memoryHost(machine()), { kubeletVersion: 'v1.31.0', ...ignored });
      expect(error).toBeUndefined();
      expect(notes).toEqual([
        {
          level: 'warn',
          text: expect.stringMatching(
            /^\[KubeletVersion\] the kubelet is v1\.31\.0 and the cluster is v1\.30\.0 \(kubernetesVersion in /,
          ),
        },
      ]);
    }
  });

  test("preflight-cluster determines the kubelet's version if no step did", async () => {
    const { kubeletVersion: _, ...incomplete } = input;
    const asked = async (change: MemoryMachine) =>
      (await runPhase(preflightCluster, incomplete, memoryHost(machine(change)))).error;
    const outputs = { 'kubelet --version': { stdout: 'Kubernetes v1.20.2\n' } };
    expect(await asked({ programs: ['kubelet'], outputs })).toMatchObject({ code: 'E_VERSION_SKEW' });
    expect(await asked({})).toMatchObject({ code: 'E_PROGRAM_MISSING' });
  });
});

describe('the cgroup driver', () => {
  const silent = { runtimes: { [SOCKET]: {} } };
  const toml = (line: string): MemoryMachine => ({ ...silent, files: { [CONFIG]: line } });

  test.each<[string, MemoryMachine]>([
    ['the runtime tells', { runtimes: { [SOCKET]: { cgroupDriver: 'cgroupfs' } } }],
    ["containerd's configuration tells", toml('    SystemdCgroup = false')],
    ["containerd's configuration does not name", toml('')],
    ['its configuration names if the runtime does not answer', { runtimes: {}, files: { [CONFIG]: '' } }],
  ])('the cgroup driver of a runtime that %s must match the kubelet', async (_, change) => {
    const { error } = await look(memoryHost(machine(change)));
    expect(error).toMatchObject({
      code: 'E_CGROUP_DRIVER',
      facts: { kubelet: 'systemd', runtime: 'cgroupfs', socket: SOCKET },
      exitCode: 6,
    });
  });

  test.each<[string, MemoryMachine]>([
    ['the runtime agrees, whatever its configuration says', { files: { [CONFIG]: '' } }],
    ['the configuration agrees', toml('\tSystemdCgroup = true # yes')],
  ])('preflight-cluster accepts the cgroup driver if %s', async (_, change) => {
    expect(await look(memoryHost(machine(change)))).toEqual({ error: undefined, notes: [] });
  });

  test('an unknown cgroup driver is only reported', async () => {
    const other = { criSocket: 'unix:///run/other.sock' };
    for (const change of [{ ...silent }, { runtimes: {} }])
      expect(await look(memoryHost(machine(change)))).toEqual({
        error: undefined,
        notes: [{ level: 'info', text: `the cgroup driver of ${SOCKET} could not be read; the kubelet uses systemd` }],
      });
    const { error, notes } = await look(memoryHost(machine(toml(''))), other); // the configuration is containerd's
    expect([error, notes?.[0]?.text]).toEqual([undefined, expect.stringContaining('/run/other.sock')]);
  });

  test.each([
    ['v1.21.0', 'cgroupfs'],
    ['v1.22.0', 'systemd'],
  ])('the default cgroup driver in %s is %s', async (kubernetesVersion, kubelet) => {
    const overrides = {
      kubeletVersion: kubernetesVersion,
      clusterConfiguration: { kubernetesVersion },
      kubeletConfiguration: { kind: 'KubeletConfiguration' },
    };
    const runtime = kubelet === 'systemd' ? ('cgroupfs' as const) : ('systemd' as const);
    const { error } = await look(memoryHost(machine({ runtimes: { [SOCKET]: { cgroupDriver: runtime } } })), overrides);
    expect(error).toMatchObject({ code: 'E_CGROUP_DRIVER', facts: { kubelet, runtime } });
  });

  test('a mismatch is only a warning for a kubelet that asks the runtime itself', async () => {
    const other = machine({ runtimes: { [SOCKET]: { cgroupDriver: 'cgroupfs' } } });
    const overrides = { kubeletVersion: 'v1.31.0', clusterConfiguration: { kubernetesVersion: 'v1.31.0' } };
    expect(await look(memoryHost(other), overrides)).toEqual({
      error: undefined,
      notes: [{ level: 'warn', text: expect.stringContaining('and the kubelet will do so too, not systemd') }],
    });
    const older = { ...overrides, kubeletVersion: 'v1.30.9' };
    expect((await look(memoryHost(other), older)).error).toMatchObject({ code: 'E_CGROUP_DRIVER' });
  });

  test('a patch may set the cgroup driver that the runtime has', async () => {
    const files = { '/patches/kubeletconfiguration.yaml': 'cgroupDriver: cgroupfs\n' };
    const other = machine({ files, runtimes: { [SOCKET]: { cgroupDriver: 'cgroupfs' } } });
    expect(await look(memoryHost(other), { patches: '/patches' })).toEqual({ error: undefined, notes: [] });
  });

  test('a mismatch of the cgroup driver can be ignored', async () => {
    const other = machine({ runtimes: { [SOCKET]: { cgroupDriver: 'cgroupfs' } } });
    const { error, notes } = await look(memoryHost(other), { ignorePreflightErrors: ['CgroupDriver'] });
    expect([error, notes]).toEqual([undefined, [{ level: 'warn', text: expect.stringMatching(/^\[CgroupDriver\] /) }]]);
  });
});

test('if several checks fail, the first is the error and the others are warnings', async () => {
  const serving = new FakeCluster(ca);
  serving.put(nodeRef('w1'), ready);
  serving.clockSkewMs = 120_000;
  const host = memoryHost(machine({ runtimes: { [SOCKET]: { cgroupDriver: 'cgroupfs' } } }, serving));
  const { error, notes } = await look(host, { clusterConfiguration: { kubernetesVersion: 'v1.29.3' } });
  expect(error).toMatchObject({ code: 'E_CLOCK_SKEW' });
  expect(notes?.map(({ text }) => text.slice(0, 30))).toEqual([
    'the cluster already has a Read',
    'the kubelet is v1.30.2 and the',
    'the kubelet would use the cgro',
  ]);
});
