/** Killed, resumed and undone runs on a real cluster. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, cleanUp, type Machine, missing, projectRoot, startCluster, startMachine } from './rig.ts';
import { walk } from './tree.ts';

const command = join(projectRoot, 'bin/join');
const KILLS = 10;
const reason = missing();

describe.skipIf(reason)(`resume and undo on a real machine${reason ? ` (skipped: ${reason})` : ''}`, () => {
  let cluster: Cluster;
  let machine: Machine;
  let before: string[];

  /**
   * Kinds, modes, paths and contents of all that is the machine's own; what stands in for its service manager keeps a
   * folder there.
   */
  const state = () =>
    walk(machine.path('/'))
      .filter(({ path }) => !/^(var\/lib\/kubelet\/\.service|var\/lib\/joinery)(\/|$)/.test(path))
      .map(({ kind, mode, path, content }) => `${kind} ${mode} ${path} ${content.toString('base64')}`);
  const run = (...args: string[]) => machine.start([command, ...args]);
  const joinArgs = (): string[] => [
    ...['run', cluster.server, '--token', cluster.token, '--discovery-token-ca-cert-hash', cluster.caHash],
    ...['--cri-socket', machine.socket, '--ignore-preflight-errors', 'all'],
  ];
  const must = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await run(...args).done;
    expect(code, `${args[0]}: ${stdout}${stderr}`).toBe(0);
    return stdout + stderr;
  };
  const ready = () =>
    cluster.kubectl(['get', 'node', 'w5', '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}']);
  const until = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
    for (const from = Date.now(); !(await holds()); await sleep(200))
      if (Date.now() > from + 60_000) throw new Error(`not within a minute: ${what}`);
  };

  beforeAll(async () => {
    cluster = await startCluster();
    machine = await startMachine('w5');
    before = state();
  });
  afterAll(cleanUp);

  test(`a join killed at ${KILLS} random times can be resumed each time; an undo restores the machine`, async () => {
    const states: string[] = [];
    for (let count = 0; count < KILLS; count++) {
      const joining = run(...joinArgs());
      // From just after its start to just after its usual end.
      await sleep(150 + Math.random() * 1_600);
      joining.kill('SIGKILL');
      await joining.done;
      const resumed = await run('resume').done;
      if (resumed.code !== 0) {
        // Either nothing had changed yet, or the run had finished.
        expect(resumed.stderr).toContain('E_RUN_NONE');
        await must(...joinArgs());
      }
      states.push(resumed.code === 0 ? 'resumed' : 'run again');
      const pems = walk(machine.path('/var/lib/kubelet/pki')).filter(({ path }) => /client-\d.*\.pem$/.test(path));
      expect(pems).toHaveLength(1);
      expect(await cluster.kubectl(['get', 'node', 'w5', '-o', 'jsonpath={.status.nodeInfo.kubeletVersion}'])).toMatch(
        /^v1\./,
      );
      await must('undo', '--yes');
      expect(machine.kubeletPid()).toBeUndefined();
      expect(state()).toEqual(before);
      expect(await ready()).toBe('False');
    }
    console.log(`killed ${KILLS} times: ${states.join(', ')}`);
    expect(states).toContain('resumed');
  });

  test('an undo with a running Pod leaves no container, mount or secret; the name can join again', async () => {
    const canary = 'canary-of-a-mounted-secret';
    await must(...joinArgs(), '--wait', 'ready');
    const accounts = () => cluster.kubectl(['get', 'serviceaccounts', '-o', 'name']);
    await until('a ServiceAccount', async () => (await accounts()).includes('serviceaccount/default'));
    await cluster.kubectl(['create', 'secret', 'generic', 'held', `--from-literal=word=${canary}`]);
    const spec = {
      nodeName: 'w5',
      automountServiceAccountToken: false,
      tolerations: [{ operator: 'Exists' }],
      containers: [
        { name: 'pause', image: 'local.test/pause:1', volumeMounts: [{ name: 'held', mountPath: '/held' }] },
      ],
      volumes: [{ name: 'held', secret: { secretName: 'held' } }],
    };
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'holder' }, spec };
    await cluster.kubectl(['create', '-f', '-'], JSON.stringify(pod));
    const phase = () => cluster.kubectl(['get', 'pod', 'holder', '-o', 'jsonpath={.status.phase}']);
    await until('the Pod runs', async () => (await phase()) === 'Running');
    const mounts = async () =>
      (await machine.run(['cat', '/proc/self/mountinfo'])).stdout
        .split('\n')
        .map((line) => line.split(' ')[4] ?? '')
        .filter((path) => path.startsWith('/var/lib/kubelet/'));
    const containers = async () =>
      (await machine.run(['ctr', '-a', machine.socket, '-n', 'k8s.io', 'containers', 'ls', '-q'])).stdout.trim();
    const held = async () =>
      (await machine.run(['grep', '-rl', canary, '/var/lib/kubelet', '/etc/kubernetes', '/run/joinery'])).stdout;
    expect([await mounts(), await containers(), await held()].map(({ length }) => length > 0)).toEqual([
      ...[true, true, true],
    ]);

    const from = performance.now();
    const output = await must('undo', '--yes');
    console.log(`undo with a running Pod took ${Math.round(performance.now() - from)} ms`);
    expect(output).toContain('kubectl delete node w5');
    expect({ mounts: await mounts(), containers: await containers(), held: await held() }).toEqual({
      mounts: [],
      containers: '',
      held: '',
    });
    expect(state()).toEqual(before);

    await cluster.kubectl(['delete', 'pod', 'holder', '--force', '--grace-period=0']);
    await must(...joinArgs(), '--wait', 'ready');
    expect(await ready()).toBe('True');
    await must('undo', '--yes');
    expect(state()).toEqual(before);
  });
});
