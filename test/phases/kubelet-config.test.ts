import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type MemoryHost, type MemoryMachine, memoryHost } from '../../engine/host/memory.ts';
import { configMapRef } from '../../engine/sdk/index.ts';
import kubeletConfig from '../../phases/kubelet-config/index.ts';
import { authority, FakeCluster, NOW, SERVER, TOKEN, TOKEN_SECRET } from '../helpers/cluster.ts';
import { itKeepsThePhaseContract, runPhase } from '../helpers/contract.ts';

const ca = authority();
const input = { server: SERVER, ca: ca.pem, token: TOKEN, nodeName: 'w1', hostName: 'w1', kubeletVersion: 'v1.30.2' };
const CONFIG = '/var/lib/kubelet/config.yaml';
const FLAGS = '/var/lib/kubelet/kubeadm-flags.env';
const CA = '/etc/kubernetes/pki/ca.crt';
const RESOLVED = '/run/systemd/resolve/resolv.conf';

const KUBELET =
  'apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\ncgroupDriver: systemd\nclusterDNS: [10.96.0.10]\n';

function cluster({
  version = 'v1.30.0',
  name = 'kubelet-config',
  kubelet = KUBELET,
}: {
  version?: string;
  name?: string;
  kubelet?: string | undefined;
} = {}): FakeCluster {
  const made = new FakeCluster(ca);
  made.put(configMapRef('kube-system', 'kubeadm-config'), {
    data: { ClusterConfiguration: `kubernetesVersion: ${version}\n` },
  });
  made.put(configMapRef('kube-system', name), { data: { kubelet } });
  return made;
}
const machine = (serving: FakeCluster, change: MemoryMachine = {}): MemoryMachine => ({
  ...{ now: () => NOW, directories: ['/etc', '/var/lib'], send: serving.send, services: { kubelet: {} } },
  ...change,
});
const configure = (host: MemoryHost, given: Record<string, unknown> = {}) =>
  runPhase(kubeletConfig, { ...input, ...given }, host);
const text = async (host: MemoryHost, path: string) =>
  (await host.read<'file'>({ kind: 'file', path }, new AbortController().signal))?.toString();

itKeepsThePhaseContract(kubeletConfig, {
  input,
  machine: () => machine(cluster(), { services: { kubelet: { active: true } } }),
  secrets: [TOKEN_SECRET],
});

describe('the configuration of the kubelet', () => {
  test("is the cluster's, sorted and unindented, with kubeadm's defaults and with rotation", async () => {
    const host = memoryHost(
      machine(cluster({ kubelet: `${KUBELET}rotateCertificates: false\nzebra: {b: 1, a: 2}\n` })),
    );
    const { error, changes } = await configure(host);
    expect(error).toBeUndefined();
    expect(await text(host, CONFIG)).toBe(
      [
        'apiVersion: kubelet.config.k8s.io/v1beta1',
        'cgroupDriver: systemd',
        'clusterDNS:',
        '- 10.96.0.10',
        'kind: KubeletConfiguration',
        'rotateCertificates: true',
        'staticPodPath: /etc/kubernetes/manifests',
        'zebra:',
        '  a: 2',
        '  b: 1',
        '',
      ].join('\n'),
    );
    expect(changes.map((change) => ('path' in change ? `${change.kind} ${change.path}` : change.kind))).toEqual([
      'directory /etc/kubernetes',
      'directory /etc/kubernetes/pki',
      `file ${CA}`,
      'directory /var/lib/kubelet',
      `file ${CONFIG}`,
      `file ${FLAGS}`,
    ]);
  });

  test('keeps what the cluster says where kubeadm has only a default', async () => {
    const host = memoryHost(
      machine(cluster({ kubelet: `${KUBELET}staticPodPath: /srv\nresolvConf: /etc/mine\n` }), {
        files: { [RESOLVED]: '' },
        services: { kubelet: {}, 'systemd-resolved': { active: true } },
      }),
    );
    await configure(host);
    expect(parse((await text(host, CONFIG)) ?? '')).toMatchObject({ staticPodPath: '/srv', resolvConf: '/etc/mine' });
  });

  test.each<[string, MemoryMachine, string | undefined]>([
    ['runs', { files: { [RESOLVED]: '' }, services: { kubelet: {}, 'systemd-resolved': { active: true } } }, RESOLVED],
    [
      'is stopped',
      { files: { [RESOLVED]: '' }, services: { kubelet: {}, 'systemd-resolved': { active: false } } },
      undefined,
    ],
    ['is not there', {}, undefined],
  ])('names the real resolv.conf where systemd-resolved %s', async (_, change, expected) => {
    const host = memoryHost(machine(cluster(), change));
    await configure(host);
    expect(parse((await text(host, CONFIG)) ?? '')).toHaveProperty('kind');
    expect((parse((await text(host, CONFIG)) ?? '') as { resolvConf?: string }).resolvConf).toBe(expected);
  });

  test.each([
    ['v1.23.17', 'kubelet-config-1.23'],
    ['v1.9.3', 'kubelet-config-1.9'],
    ['1.20.2', 'kubelet-config-1.20'],
    ['v1.24.0', 'kubelet-config'],
    ['v1.36.0-alpha.1', 'kubelet-config'],
  ])('of a cluster of %s is in the ConfigMap %s', async (version, name) => {
    const { error } = await configure(memoryHost(machine(cluster({ version, name }))));
    expect(error).toBeUndefined();
    const elsewhere = await configure(memoryHost(machine(cluster({ version, name: 'kubelet-config-9.9' }))));
    expect(elsewhere.error).toMatchObject({
      code: 'E_KUBELET_CONFIG',
      facts: { what: `kube-system has no ConfigMap ${name} with key kubelet` },
      exitCode: 5,
    });
  });

  test.each<[string, FakeCluster, string]>([
    [
      'there is no kubeadm-config',
      new FakeCluster(ca),
      'kube-system has no ConfigMap kubeadm-config with key ClusterConfiguration',
    ],
    ['the version is missing', cluster({ version: '' }), 'kubeadm-config has kubernetesVersion null'],
    ['the version is none', cluster({ version: 'latest' }), 'kubeadm-config has kubernetesVersion latest'],
    [
      'it is another kind',
      cluster({ kubelet: 'kind: KubeProxyConfiguration' }),
      'kubelet-config holds a KubeProxyConfiguration',
    ],
    ['it is no mapping', cluster({ kubelet: 'text' }), 'kubelet-config: it is no mapping'],
    [
      'the version is a mapping',
      cluster({ version: '{ toString: 1 }' }),
      'kubeadm-config has kubernetesVersion {"toString":1}',
    ],
    ['the kind is a mapping', cluster({ kubelet: 'kind: { toString: 1 }' }), 'kubelet-config holds a {"toString":1}'],
    [
      'its text is none',
      cluster({ kubelet: 7 as never }),
      'kube-system has no ConfigMap kubelet-config with key kubelet',
    ],
    [
      'it is no YAML',
      cluster({ kubelet: 'a: [' }),
      'kubelet-config: Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
  ])('cannot be used where %s', async (_, serving, what) => {
    const { error, changes } = await configure(memoryHost(machine(serving)));
    expect(error).toMatchObject({ code: 'E_KUBELET_CONFIG', facts: { what } });
    expect(changes).toEqual([]);
  });

  test.each([
    [403, 'E_API_FORBIDDEN'],
    [401, 'E_API_UNAUTHORIZED'],
  ])('that may not be read (%i) is said so', async (status, code) => {
    const serving = cluster();
    serving.answers.set('GET /api/v1/namespaces/kube-system/configmaps/kubelet-config', serving.answer(status, {}));
    expect((await configure(memoryHost(machine(serving)))).error).toMatchObject({ code });
  });
});

describe('with the gate DynamicKubeletConfig', () => {
  const INIT = '/var/lib/kubelet/config/init/kubelet';
  const of = async (minor: number, given: Record<string, unknown> = { dynamic: true }) => {
    const name = minor < 24 ? `kubelet-config-1.${minor}` : 'kubelet-config';
    const serving = cluster({ version: `v1.${minor}.0`, name });
    serving.put(configMapRef('kube-system', name), { metadata: { name, uid: 'uid-7' }, data: { kubelet: KUBELET } });
    serving.answers.set('GET /version', serving.answer(200, { gitVersion: `v1.${minor}.2` }));
    const host = memoryHost(machine(serving));
    const { error, changes, result } = await configure(host, given);
    const outputs = result.steps[0]?.outputs as { configSource?: object } | undefined;
    return {
      error,
      changes,
      source: outputs?.configSource,
      init: await text(host, INIT),
      config: await text(host, CONFIG),
    };
  };

  test.each([
    [23, { configMap: { namespace: 'kube-system', name: 'kubelet-config-1.23', kubeletConfigKey: 'kubelet' } }],
    [20, { configMap: { namespace: 'kube-system', name: 'kubelet-config-1.20', kubeletConfigKey: 'kubelet' } }],
    [11, { configMap: { namespace: 'kube-system', name: 'kubelet-config-1.11', kubeletConfigKey: 'kubelet' } }],
    [10, { configMapRef: { namespace: 'kube-system', name: 'kubelet-config-1.10', uid: 'uid-7' } }],
  ])('is also what the kubelet begins with, and says how a Node of 1.%i names it', async (minor, expected) => {
    const { error, source, init, config } = await of(minor);
    expect([error, source]).toEqual([undefined, expected]);
    expect(init).toBe(config);
  });

  test.each([24, 30])('is refused by a server of 1.%i, before anything is written', async (minor) => {
    const { error, changes } = await of(minor);
    expect(error).toMatchObject({
      code: 'E_DYNAMIC_CONFIG_GONE',
      message: `${SERVER} knows no dynamic kubelet configuration: it is v1.${minor}.2: 1.23 was the last release with the feature`,
      exitCode: 5,
    });
    expect(changes).toEqual([]);
  });

  test('is refused by a server that does not say its version', async () => {
    const serving = cluster();
    serving.answers.set('GET /version', serving.answer(200, {}));
    const { error } = await configure(memoryHost(machine(serving)), { dynamic: true });
    expect(error).toMatchObject({ code: 'E_API_ANSWER', facts: { what: 'no version of Kubernetes' } });
  });

  test('turned off, nothing of it is written or asked', async () => {
    const { error, source, init } = await of(30, { dynamic: false });
    expect([error, source, init]).toEqual([undefined, undefined, undefined]);
  });
});

describe('the flags of the kubelet', () => {
  const flagsOf = async (given: Record<string, unknown>, change: MemoryMachine = {}) => {
    const host = memoryHost(machine(cluster(), change));
    const { error } = await configure(host, given);
    expect(error).toBeUndefined();
    return text(host, FLAGS);
  };
  const endpoint = '--container-runtime-endpoint=';

  test.each([
    ['v1.30.2', {}, `${endpoint}unix:///run/containerd/containerd.sock`],
    ['v1.24.0', {}, `${endpoint}unix:///run/containerd/containerd.sock`],
    ['v1.23.17', {}, `--container-runtime=remote ${endpoint}unix:///run/containerd/containerd.sock`],
    ['v1.23.17', { criSocket: '/run/x.sock' }, `--container-runtime=remote ${endpoint}/run/x.sock`],
    ['v1.30.2', { criSocket: '/run/x.sock' }, `${endpoint}unix:///run/x.sock`],
    ['v1.30.2', { criSocket: 'unix:///run/x.sock' }, `${endpoint}unix:///run/x.sock`],
    ['v1.30.2', { nodeName: 'other' }, `${endpoint}unix:///run/containerd/containerd.sock --hostname-override=other`],
  ])('for %s and %j are these', async (kubeletVersion, given, expected) => {
    expect(await flagsOf({ kubeletVersion, ...given })).toBe(`KUBELET_KUBEADM_ARGS="${expected}"\n`);
  });

  test('are for the kubelet that is installed, where nobody has said which', async () => {
    const { kubeletVersion: _, ...unsaid } = input;
    const at = async (change: MemoryMachine) => {
      const host = memoryHost(machine(cluster(), change));
      const { error } = await runPhase(kubeletConfig, unsaid, host);
      return { error, flags: await text(host, FLAGS) };
    };
    const old = await at({
      programs: ['kubelet'],
      outputs: { 'kubelet --version': { stdout: 'Kubernetes v1.20.2\n' } },
    });
    expect(old.flags).toContain('--container-runtime=remote');
    expect((await at({})).error).toMatchObject({ code: 'E_PROGRAM_MISSING' });
    const odd = await at({ programs: ['kubelet'], outputs: { 'kubelet --version': { stdout: 'hello' } } });
    expect(odd.error).toMatchObject({
      code: 'E_COMMAND_FAILED',
      facts: { command: 'kubelet --version', output: 'hello' },
    });
  });
});

describe('the cgroup driver', () => {
  const SOCKET = '/run/containerd/containerd.sock';
  const crictl = (stdout: string, exitCode = 0): MemoryMachine => ({
    programs: ['crictl'],
    outputs: { [`crictl --runtime-endpoint unix://${SOCKET} info`]: { stdout, exitCode } },
  });
  const toml = (line: string): MemoryMachine => ({ files: { '/etc/containerd/config.toml': line } });

  test.each<[string, MemoryMachine, string]>([
    ['crictl', crictl('{"SystemdCgroup": false}'), 'cgroupfs'],
    ["containerd's configuration", toml('    SystemdCgroup = false'), 'cgroupfs'],
    ["containerd's configuration, which does not name it", toml(''), 'cgroupfs'],
  ])('that %s tells must be that of the kubelet', async (_, change, runtime) => {
    const { error, changes } = await configure(memoryHost(machine(cluster(), change)));
    expect(error).toMatchObject({
      code: 'E_CGROUP_DRIVER',
      facts: { kubelet: 'systemd', runtime, socket: SOCKET },
      exitCode: 6,
    });
    expect(changes).toEqual([]);
  });

  test.each<[string, MemoryMachine]>([
    ['crictl agrees', crictl('{"SystemdCgroup": true}')],
    ['crictl fails, and the configuration agrees', { ...crictl('', 1), ...toml('SystemdCgroup = true') }],
    ['the configuration agrees', toml('\tSystemdCgroup = true # yes')],
    ['nobody tells', {}],
  ])('is no obstacle where %s', async (_, change) => {
    expect((await configure(memoryHost(machine(cluster(), change)))).error).toBeUndefined();
  });

  test.each([
    ['v1.21.0', 'kubelet-config-1.21', 'cgroupfs'],
    ['v1.22.0', 'kubelet-config-1.22', 'systemd'],
  ])('that the cluster does not name is, in %s, %s: %s', async (version, name, kubelet) => {
    const serving = cluster({ version, name, kubelet: 'kind: KubeletConfiguration\n' });
    const runtime = kubelet === 'systemd' ? 'cgroupfs' : 'systemd';
    const { error } = await configure(
      memoryHost(machine(serving, crictl(`{"SystemdCgroup": ${runtime === 'systemd'}}`))),
    );
    expect(error).toMatchObject({ code: 'E_CGROUP_DRIVER', facts: { kubelet, runtime } });
  });
});

describe('the CA on disk', () => {
  test('of another cluster is refused before anything is written', async () => {
    const foreign = authority('foreign');
    const { error, changes } = await configure(memoryHost(machine(cluster(), { files: { [CA]: foreign.pem } })));
    expect(error).toMatchObject({
      code: 'E_CA_FILE_DIFFERS',
      facts: { path: CA, found: foreign.pin, wanted: ca.pin },
      exitCode: 6,
    });
    expect(changes).toEqual([]);
  });

  test('that is none is refused', async () => {
    const { error } = await configure(memoryHost(machine(cluster(), { files: { [CA]: 'text' } })));
    expect(error).toMatchObject({ code: 'E_CA_FILE_DIFFERS', facts: { found: 'no certificate' } });
  });

  test('of the same key is brought to what the cluster gives', async () => {
    const host = memoryHost(machine(cluster(), { files: { [CA]: `# a comment\n${ca.pem}\n` } }));
    const { error } = await configure(host);
    expect(error).toBeUndefined();
    expect(await text(host, CA)).toBe(ca.pem);
  });

  test('lies where it is asked for', async () => {
    const host = memoryHost(machine(cluster()));
    expect((await configure(host, { caCertPath: '/srv/pki/ca.crt' })).error).toBeUndefined();
    expect([await text(host, '/srv/pki/ca.crt'), await text(host, CA)]).toEqual([ca.pem, undefined]);
  });
});
