/** TLS bootstrap by the kubelet on a real cluster, compared with the real kubeadm. */
import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Cluster, cleanUp, type Machine, missing, projectRoot, startCluster, startMachine } from './rig.ts';
import { walk } from './tree.ts';

const command = join(projectRoot, 'bin/join');
const BOOTSTRAP = 'etc/kubernetes/bootstrap-kubelet.conf';
const CURRENT = 'var/lib/kubelet/pki/kubelet-client-current.pem';
const reason = missing();

describe.skipIf(reason)(`TLS bootstrap by a real kubelet${reason ? ` (skipped: ${reason})` : ''}`, () => {
  let cluster: Cluster;
  let machine: Machine;
  let before: string[];

  const state = () =>
    walk(machine.path('/'))
      .filter(({ path }) => !/^(var\/lib\/kubelet\/\.service|var\/lib\/joinery|etc\/joinery)(\/|$)/.test(path))
      .map(({ kind, mode, path, content }) => `${kind} ${mode} ${path} ${content.toString('base64')}`);
  const startRun = (argv: string[], env: Record<string, string> = {}) => machine.start(argv, { env });
  const joinArgs = () => [
    ...[cluster.server, '--token', cluster.token, '--discovery-token-ca-cert-hash', cluster.caHash],
    ...['--cri-socket', machine.socket, '--ignore-preflight-errors', 'all'],
  ];
  const joining = (...extra: string[]) =>
    startRun([command, 'run', ...joinArgs(), '--tls-bootstrap-mode', 'kubelet', ...extra]);
  const must = async (running: ReturnType<typeof startRun>): Promise<string> => {
    const { code, stdout, stderr } = await running.done;
    expect(code, stdout + stderr).toBe(0);
    return stdout + stderr;
  };
  const csrs = async (): Promise<{ metadata: { name: string }; spec: { username: string } }[]> =>
    JSON.parse(await cluster.kubectl(['get', 'csr', '-o', 'json'])).items;
  const until = async (what: string, holds: () => boolean | Promise<boolean>, limitMs = 60_000): Promise<void> => {
    for (const from = Date.now(); !(await holds()); await sleep(20))
      if (Date.now() > from + limitMs) throw new Error(`not within ${limitMs} ms: ${what}`);
  };
  /** A link that leads somewhere on the machine, and nowhere on this host. */
  const hasCertificate = () => lstatSync(machine.path(CURRENT), { throwIfNoEntry: false }) !== undefined;
  const ready = () =>
    cluster.kubectl(['get', 'node', 'w8', '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}']);
  const telling = () => {
    const secret = Buffer.from(cluster.token.split('.')[1] ?? '');
    return walk(machine.path('/')).flatMap(({ path, content }) => (content.includes(secret) ? [path] : []));
  };

  beforeAll(async () => {
    cluster = await startCluster();
    machine = await startMachine('w8');
    before = state();
  });
  beforeEach(({ onTestFailed }) => {
    onTestFailed(async () => console.error((await machine.run(['journalctl', '-u', 'kubelet', '-n', '40'])).stdout));
  });
  afterAll(cleanUp);

  test("a Node becomes Ready after its kubelet's CSR, and the token is no longer on disk", async () => {
    const from = performance.now();
    const running = joining('--wait', 'ready');
    await until('the kubelet has its certificate', hasCertificate);
    const heldMs = performance.now() - from;
    await until('the token is gone', () => !existsSync(machine.path(BOOTSTRAP)), 2_000);
    console.log(
      `identity on disk after ${Math.round(heldMs)} ms, its bootstrap file gone after ${Math.round(performance.now() - from)} ms`,
    );
    await must(running);
    expect(await ready()).toBe('True');
    const [id] = cluster.token.split('.');
    expect((await csrs()).map(({ metadata, spec }) => [metadata.name.slice(0, 4), spec.username])).toEqual([
      ['csr-', `system:bootstrap:${id}`],
    ]);
    expect(telling()).toEqual([]);
  });

  test('a second run and a run in mode direct change nothing', async () => {
    expect(await must(joining())).toContain('no changes needed');
    expect(await must(startRun([command, 'run', ...joinArgs()]))).toContain('no changes needed');
    expect(await csrs()).toHaveLength(1);
  });

  test('an undo leaves the machine as it was', async () => {
    await must(startRun([command, 'undo', '--yes']));
    expect(machine.kubeletPid()).toBeUndefined();
    expect(state()).toEqual(before);
    expect(await ready()).toBe('False');
  });

  test('bootstrap-kubelet.conf has the same bytes and mode as with the real kubeadm', async () => {
    // A service manager that keeps a copy of the file when the kubelet starts.
    const real = (await machine.run(['which', 'systemctl'])).stdout.trim();
    const PATH = `/etc/joinery/shim:${(await machine.run(['printenv', 'PATH'])).stdout.trim()}`;
    const keeping = (as: string) => {
      const folder = machine.path('etc/joinery/shim');
      mkdirSync(folder, { recursive: true });
      const keep = `cp -p /etc/kubernetes/bootstrap-kubelet.conf /etc/joinery/${as}`;
      const script = `#!/bin/sh\ncase "$*" in *start*) ${keep} 2>/dev/null ;; esac\nexec ${real} "$@"\n`;
      writeFileSync(join(folder, 'systemctl'), script);
      chmodSync(join(folder, 'systemctl'), 0o755);
      return { PATH };
    };
    await must(startRun(['kubeadm', 'join', ...joinArgs()], keeping('theirs')));
    await machine.stopKubelet();
    for (const each of ['/etc/kubernetes', '/var/lib/kubelet'])
      await machine.run(['find', each, '-mindepth', '1', '-not', '-path', '*/.service*', '-delete']);
    await cluster.kubectl(['delete', 'node', 'w8']);
    await must(startRun([command, 'run', ...joinArgs(), '--tls-bootstrap-mode', 'kubelet'], keeping('ours')));
    const kept = walk(machine.path('etc/joinery')).filter(({ path: name }) => name === 'ours' || name === 'theirs');
    const [ours, theirs] = kept.map(({ mode, content }) => `${mode}\n${content}`);
    expect(theirs).toContain(cluster.token);
    expect(ours).toBe(theirs);
    for (const kept of ['ours', 'theirs']) rmSync(machine.path(`etc/joinery/${kept}`));
    await must(startRun([command, 'undo', '--yes']));
  });

  test('a join that is killed at any time can be resumed and undone, and leaves no token', async () => {
    for (const afterMs of [400, 700, 1_000, 1_400]) {
      const running = joining();
      await sleep(afterMs);
      running.kill('SIGKILL');
      await running.done;
      const resumed = await startRun([command, 'resume']).done;
      if (resumed.code !== 0) {
        expect(resumed.stderr).toContain('E_RUN_NONE'); // nothing was changed yet, or all was done
        await must(joining());
      }
      expect(await cluster.kubectl(['get', 'node', 'w8', '-o', 'jsonpath={.status.nodeInfo.kubeletVersion}'])).toMatch(
        /^v1\./,
      );
      expect(telling()).toEqual([]);
      await must(startRun([command, 'undo', '--yes']));
      expect(telling()).toEqual([]);
    }
  });

  test('an approved CSR ends the wait at once, through file system events', async () => {
    const binding = 'kubeadm:node-autoapprove-bootstrap';
    await cluster.kubectl(['delete', 'clusterrolebinding', binding]);
    await cluster.kubectl(['delete', 'csr', '--all']);
    const running = joining();
    await until('a request is waiting', async () => (await csrs()).length > 0);
    expect(readFileSync(machine.path(BOOTSTRAP), 'utf8')).toContain(cluster.token);
    await sleep(3_000);
    const [csr] = await csrs();
    await cluster.kubectl(['certificate', 'approve', csr?.metadata.name ?? '']);
    await until('the kubelet has its certificate', hasCertificate);
    const held = performance.now();
    await until('the token is gone', () => !existsSync(machine.path(BOOTSTRAP)), 2_000);
    console.log(`seen ${Math.round(performance.now() - held)} ms after the certificate was there`);
    expect(await must(running)).toContain("the kubelet's CSR will need manual approval:\n    kubectl get csr");
  });
});
