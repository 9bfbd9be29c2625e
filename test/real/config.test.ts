/** Joins to a real cluster with configuration files of both eras and with a pasted join command. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { isReady, type NodeObject } from '../../engine/node/index.ts';
import { type Cluster, cleanUp, type Machine, missing, projectRoot, startCluster, startMachine } from './rig.ts';

const command = join(projectRoot, 'bin/join');
const reason = missing();

describe.skipIf(reason)(`inputs of kubeadm join on a real cluster${reason ? ` (skipped: ${reason})` : ''}`, () => {
  let cluster: Cluster;
  let machine: Machine;

  beforeAll(async () => {
    cluster = await startCluster();
    machine = await startMachine('w8');
  });
  afterEach(async ({ task }) => {
    if (task.result?.state === 'fail')
      console.error((await machine.run(['journalctl', '-u', 'kubelet', '-n', '40'])).stdout);
    expect((await machine.run([command, 'undo', '--yes'])).code).toBe(0);
    for (const { metadata } of await nodes()) await cluster.kubectl(['delete', 'node', String(metadata.name)]);
  });
  afterAll(cleanUp);

  const run = (...args: string[]) => machine.run([command, 'run', ...args], { env: { RESTART_SEC: '1' } });
  const configFile = (text: string): string => {
    writeFileSync(machine.path('etc/joinery/join.yaml'), text);
    return '/etc/joinery/join.yaml';
  };
  /** Those that have joined: the cluster has an object for its control plane. */
  const nodes = async (): Promise<NodeObject[]> =>
    JSON.parse(await cluster.kubectl(['get', 'nodes', '-o', 'json'])).items.filter(
      ({ metadata }: NodeObject) => metadata.name !== 'control-plane',
    );
  const ignoring = ['--ignore-preflight-errors', 'all', '--wait', 'ready'];

  const eras: [string, () => string, string][] = [
    [
      'v1alpha1 NodeConfiguration',
      () => `apiVersion: kubeadm.k8s.io/v1alpha1
kind: NodeConfiguration
token: ${cluster.token}
discoveryTokenAPIServers: ["${cluster.server}"]
discoveryTokenCACertHashes: ["${cluster.caHash}"]
discoveryTimeout: 2m
nodeName: era-1
criSocket: ${machine.socket}
clusterName: kubernetes
`,
      'era-1',
    ],
    [
      'v1alpha2 NodeConfiguration',
      () => `apiVersion: kubeadm.k8s.io/v1alpha2
kind: NodeConfiguration
discoveryToken: ${cluster.token}
tlsBootstrapToken: ${cluster.token}
discoveryTokenAPIServers: ["${cluster.server}"]
discoveryTokenCACertHashes: ["${cluster.caHash}"]
nodeRegistration:
  name: era-2
  criSocket: ${machine.socket}
  kubeletExtraArgs: { node-labels: "rack=7,row=2" }
`,
      'era-2',
    ],
    [
      'v1beta3 JoinConfiguration',
      () => `apiVersion: kubeadm.k8s.io/v1beta3
kind: JoinConfiguration
discovery:
  bootstrapToken:
    token: ${cluster.token}
    apiServerEndpoint: ${cluster.server}
    caCertHashes: ["${cluster.caHash}"]
  timeout: 2m0s
nodeRegistration:
  name: era-3
  criSocket: unix://${machine.socket}
  taints: [{ key: dedicated, value: gpu, effect: NoSchedule }]
  kubeletExtraArgs: { node-labels: "rack=7,row=2" }
  ignorePreflightErrors: [Swap]
patches: { directory: /etc/joinery/patches }
skipPhases: [preflight]
`,
      'era-3',
    ],
    [
      'v1beta4 JoinConfiguration',
      () => `apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
discovery:
  bootstrapToken:
    token: ${cluster.token}
    apiServerEndpoint: ${cluster.server}
    caCertHashes: ["${cluster.caHash}"]
nodeRegistration:
  name: era-4
  criSocket: unix://${machine.socket}
  taints: [{ key: dedicated, value: gpu, effect: NoSchedule }]
  kubeletExtraArgs:
    - { name: node-labels, value: "rack=7,row=2" }
patches: { directory: /etc/joinery/patches }
skipPhases: [preflight]
timeouts: { discovery: 2m0s, tlsBootstrap: 3m0s, kubeletHealthCheck: 1m0s }
`,
      'era-4',
    ],
  ];

  test.each(eras)('a %s joins a Node to Ready', async (version, text, name) => {
    mkdirSync(machine.path('etc/joinery/patches'), { recursive: true });
    writeFileSync(machine.path('etc/joinery/patches/kubeletconfiguration0+merge.yaml'), 'maxPods: 7\n');
    const isBeta = version.startsWith('v1beta');
    const { code, stdout, stderr, ms } = await run(
      ...['--config', configFile(text())],
      ...(isBeta ? ['--wait', 'ready'] : ignoring),
    );
    expect(code, stderr).toBe(0);
    console.log(`${version}: Ready after ${Math.round(ms)} ms`);
    const [node] = await nodes();
    expect(node?.metadata.name).toBe(name);
    expect(isReady(node)).toBe(true);
    if (version === 'v1alpha1 NodeConfiguration') expect(stdout).toContain('clusterName: no effect on a worker');
    else expect(node?.metadata.labels).toMatchObject({ rack: '7', row: '2' });
    if (!isBeta) return;
    expect(node).toMatchObject({
      spec: { taints: expect.arrayContaining([{ key: 'dedicated', value: 'gpu', effect: 'NoSchedule' }]) },
      status: { capacity: { pods: '7' } },
    });
    expect(readFileSync(machine.path('var/lib/kubelet/config.yaml'), 'utf8')).toContain('maxPods: 7\n');
  });

  test('the command from kubeadm token create --print-join-command joins after two words are changed', async () => {
    const printed = await machine.run([
      ...['kubeadm', 'token', 'create', '--print-join-command', '--kubeconfig', cluster.adminKubeconfig],
    ]);
    expect(printed.code, printed.stderr).toBe(0);
    const [program, verb, ...line] = printed.stdout.trim().split(/\s+/);
    expect([program, verb]).toEqual(['kubeadm', 'join']);
    const { code, stderr } = await run(...line, '--cri-socket', machine.socket, ...ignoring);
    expect(code, stderr).toBe(0);
    expect((await nodes()).map(({ metadata }) => metadata.name)).toEqual(['w8']);
  });

  test('a join with a token in a variable and a boolean flag set to false', async () => {
    const { code, stderr } = await machine.run(
      [
        ...[
          command,
          'run',
          cluster.server,
          '--discovery-token-ca-cert-hash',
          cluster.caHash,
          '--dry-run=false',
          '-v=5',
        ],
        ...['--discovery-token-unsafe-skip-ca-verification=false', '--cri-socket', machine.socket, ...ignoring],
      ],
      { env: { JOINERY_TOKEN: cluster.token, RESTART_SEC: '1' } },
    );
    expect(code, stderr).toBe(0);
    expect(await nodes()).toHaveLength(1);
  });
});
