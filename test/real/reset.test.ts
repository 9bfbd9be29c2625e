/** `join reset` compared with `kubeadm reset`, each on the same joined machine with a Pod. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, cleanUp, type Machine, missing, projectRoot, startCluster, startMachine } from './rig.ts';
import { walk } from './tree.ts';

const command = join(projectRoot, 'bin/join');
const reason = missing();

describe.skipIf(reason)(`join reset on a real machine${reason ? ` (skipped: ${reason})` : ''}`, () => {
  let cluster: Cluster;
  let machine: Machine;

  const state = () =>
    walk(machine.path('/'))
      .filter(({ path }) => !/^(var\/lib\/kubelet\/\.service|var\/lib\/joinery)(\/|$)/.test(path))
      .map(({ kind, mode, path }) => `${kind} ${mode} ${path}`);
  const must = async (...argv: string[]): Promise<string> => {
    const { code, stdout, stderr } = await machine.run(argv);
    expect(code, `${argv.join(' ')}: ${stdout}${stderr}`).toBe(0);
    return stdout + stderr;
  };
  const until = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
    for (const from = Date.now(); !(await holds()); await sleep(200))
      if (Date.now() > from + 60_000) throw new Error(`not within a minute: ${what}`);
  };
  const joinArgs = () => [
    ...[cluster.server, '--token', cluster.token, '--discovery-token-ca-cert-hash', cluster.caHash],
    ...['--cri-socket', machine.socket, '--ignore-preflight-errors', 'all'],
  ];
  const nodeReady = () =>
    cluster.kubectl(['get', 'node', 'w11', '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}']);
  const mounts = async () =>
    (await must('cat', '/proc/self/mountinfo')).split('\n').filter((line) => / \/var\/lib\/kubelet\/./.test(line))
      .length;
  const containers = async () =>
    (await must('ctr', '-a', machine.socket, '-n', 'k8s.io', 'containers', 'ls', '-q')).trim();

  /** Joins by kubeadm, and runs a Pod with a volume. */
  async function joined(): Promise<void> {
    await must('kubeadm', 'join', ...joinArgs());
    await until('Ready', async () => (await nodeReady()) === 'True');
    const accounts = () => cluster.kubectl(['get', 'serviceaccounts', '-o', 'name']);
    await until('a ServiceAccount', async () => (await accounts()).includes('serviceaccount/default'));
    const spec = {
      nodeName: 'w11',
      tolerations: [{ operator: 'Exists' }],
      containers: [{ name: 'pause', image: 'local.test/pause:1' }], // with the token of its ServiceAccount mounted
    };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'holder' }, spec };
    await cluster.kubectl(['create', '-f', '-'], JSON.stringify(pod));
    const phase = () => cluster.kubectl(['get', 'pod', 'holder', '-o', 'jsonpath={.status.phase}']);
    await until('the Pod runs', async () => (await phase()) === 'Running');
    expect([(await mounts()) > 0, (await containers()) !== '']).toEqual([true, true]);
  }
  async function gone(): Promise<void> {
    await cluster.kubectl(['delete', 'pod', 'holder', '--force', '--grace-period=0']);
    await cluster.kubectl(['delete', 'node', 'w11']);
  }

  beforeAll(async () => {
    cluster = await startCluster();
    machine = await startMachine('w11');
  });
  afterAll(cleanUp);

  test('leaves the same files as kubeadm reset on a machine that kubeadm joined', async () => {
    await joined();
    await must('kubeadm', 'reset', '--force', '--cri-socket', machine.socket);
    const theirs = state();
    await gone();

    await joined();
    const planned = await must(command, 'reset', '--cri-socket', machine.socket, '--dry-run');
    expect(planned).toContain('would remove Pod default/holder from the container runtime');
    expect(await nodeReady()).toBe('True');
    const from = performance.now();
    const output = await must(command, 'reset', '--cri-socket', machine.socket, '--yes');
    console.log(`a reset with a running Pod took ${Math.round(performance.now() - from)} ms`);
    expect(output).toContain('kubectl delete node w11');
    expect(state()).toEqual(theirs);
    expect([await mounts(), await containers(), machine.kubeletPid()]).toEqual([0, '', undefined]);
    expect(await nodeReady()).toBe('False');
    expect(walk(machine.path('/var/lib/joinery/runs'))).toEqual([]);
    await gone();
  });

  test('resets a machine that join run joined, and the same name can join again at once', async () => {
    await must(command, 'run', ...joinArgs(), '--wait', 'ready');
    await must(command, 'reset', '--cri-socket', machine.socket, '--yes');
    expect(await nodeReady()).toBe('False');
    expect((await machine.run([command, 'undo', '--yes'])).stderr).toContain('E_RUN_NONE');
    await must(command, 'run', ...joinArgs(), '--wait', 'ready');
    expect(await nodeReady()).toBe('True');
  });
});
