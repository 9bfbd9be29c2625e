/**
 * Joins to a real cluster without automatic approval: the wait for an administrator, and every way in which it can end.
 */
import { existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { launch } from './command.ts';
import { type Cluster, cleanUp, type Machine, missing, projectRoot, startCluster, startMachine } from './rig.ts';
import { walk } from './tree.ts';

const command = join(projectRoot, 'bin/join');
const reason = missing();

describe.skipIf(reason)(`manual approval on a real cluster${reason ? ` (skipped: ${reason})` : ''}`, () => {
  let cluster: Cluster;
  let machine: Machine;
  let before: string[];

  const state = () =>
    walk(machine.path('/'))
      .filter(({ path }) => !/^(var\/lib\/kubelet\/\.service|var\/lib\/joinery)(\/|$)/.test(path))
      .map(({ kind, mode, path, content }) => `${kind} ${mode} ${path} ${content.toString('base64')}`);
  const joining = (...extra: string[]) => {
    const { server, token, caHash } = cluster;
    const by = [server, '--token', token, '--discovery-token-ca-cert-hash', caHash, '--cri-socket', machine.socket];
    return machine.start([command, 'run', ...by, '--ignore-preflight-errors', 'all', ...extra]);
  };
  /** Asserts that no file of Kubernetes exists. The record of a failed run remains until it is undone. */
  const expectNothing = async (): Promise<void> => {
    const isKubernetes = (line: string) => !line.includes(' run/joinery/');
    expect(state().filter(isKubernetes)).toEqual(before.filter(isKubernetes));
    const { code, stderr } = await machine.run([command, 'undo', '--yes']);
    expect(code, stderr).toBe(0);
    expect(state()).toEqual(before);
  };
  const kubectl = (...args: string[]) => cluster.kubectl(args);
  const names = async () => (await kubectl('get', 'csr', '-o', 'name')).split('\n').filter(Boolean);
  /** The one request that waits. */
  const waiting = async (): Promise<string> => {
    for (const from = Date.now(); Date.now() < from + 30_000; await sleep(50)) {
      const [name] = await names();
      if (name !== undefined) return name.replace(/^.*\//, '');
    }
    throw new Error('no request within 30 s');
  };

  beforeAll(async () => {
    cluster = await startCluster();
    machine = await startMachine('w10');
    before = state();
    // The documentation says clusterrole, but since Kubernetes 1.8 the binding has this name.
    const { code, stderr } = await launch([
      ...[
        'kubectl',
        '--kubeconfig',
        cluster.adminKubeconfig,
        'delete',
        'clusterrole',
        'kubeadm:node-autoapprove-bootstrap',
      ],
    ]).done;
    expect([code, stderr]).toEqual([1, expect.stringContaining('NotFound')]);
    await kubectl('delete', 'clusterrolebinding', 'kubeadm:node-autoapprove-bootstrap');
  });
  afterEach(() => kubectl('delete', 'csr', '--all'));
  afterAll(cleanUp);

  test('the join prints the approval commands, and continues within a second of the approval', async () => {
    const running = joining();
    const name = await waiting();
    expect(name).toMatch(/^node-csr-[A-Za-z0-9_-]{43}$/);
    const [id] = cluster.token.split('.');
    expect(await kubectl('get', 'csr')).toMatch(new RegExp(`^${name} .* system:bootstrap:${id} .*Pending$`, 'm'));
    await sleep(2_000); // it blocks
    expect(existsSync(machine.path('etc/kubernetes/kubelet.conf'))).toBe(false);

    expect(await kubectl('certificate', 'approve', name)).toMatch(/certificatesigningrequest.*approved/);
    const approved = performance.now();
    const there = (path: string) => lstatSync(machine.path(path), { throwIfNoEntry: false }) !== undefined;
    while (!there('etc/kubernetes/kubelet.conf') && performance.now() < approved + 5_000) await sleep(5);
    const wentOnMs = performance.now() - approved;
    const { code, stdout, stderr } = await running.done;
    expect(code, stdout + stderr).toBe(0);
    console.log(`the identity is on disk ${Math.round(wentOnMs)} ms after the approval`);
    expect(wentOnMs).toBeLessThan(1_000);
    expect(stderr).toContain(
      `! ${name} needs manual approval:\n    kubectl get csr\n    kubectl certificate approve ${name}\n`,
    );
    expect(await kubectl('get', 'csr')).toMatch(new RegExp(`^${name} .*Approved,Issued$`, 'm'));
    expect(await kubectl('get', 'node', 'w10', '-o', 'jsonpath={.status.nodeInfo.kubeletVersion}')).toBe('v1.20.2');
    expect((await machine.run([command, 'undo', '--yes'])).code).toBe(0);
    expect(state()).toEqual(before);
  });

  test('a denied CSR ends the join with reason and message, and nothing is written', async () => {
    const running = joining();
    const name = await waiting();
    await kubectl('certificate', 'deny', name);
    const { code, stderr } = await running.done;
    expect([code, stderr]).toEqual([
      expect.any(Number),
      expect.stringMatching(
        new RegExp(
          `E_CSR_DENIED in step tls-bootstrap: ${name} was denied.*KubectlDeny.*This CSR was denied by kubectl`,
          's',
        ),
      ),
    ]);
    expect(code).toBe(5);
    await expectNothing();
  });

  test('a failed CSR ends the join with reason and message, and nothing is written', async () => {
    const running = joining();
    const name = await waiting();
    const csr = JSON.parse(await kubectl('get', 'csr', name, '-o', 'json'));
    csr.status = {
      conditions: [{ type: 'Failed', status: 'True', reason: 'SignerValidationFailure', message: 'no such usage' }],
    };
    const path = `/apis/certificates.k8s.io/v1/certificatesigningrequests/${name}/status`;
    await cluster.kubectl(['replace', '--raw', path, '-f', '-'], JSON.stringify(csr));
    const { code, stderr } = await running.done;
    expect(stderr).toMatch(
      new RegExp(`E_CSR_FAILED in step tls-bootstrap: .*${name}.*SignerValidationFailure.*no such usage`, 's'),
    );
    expect(code).toBe(5);
    await expectNothing();
  });

  test('a deleted CSR is sent again, and its name is printed again', async () => {
    const running = joining();
    const name = await waiting();
    await kubectl('delete', 'csr', name);
    expect(await waiting()).toBe(name); // the same key
    await kubectl('certificate', 'approve', name);
    const { code, stderr } = await running.done;
    expect(code, stderr).toBe(0);
    const failed = `attempt 1 failed: ${name} was deleted while Joinery waited for its certificate; retrying in `;
    expect(stderr).toMatch(new RegExp(`${failed}[01]\\.\\d+ s`)); // with jitter
    expect(stderr.split(`kubectl certificate approve ${name}`)).toHaveLength(3);
    expect((await machine.run([command, 'undo', '--yes'])).code).toBe(0);
    expect(state()).toEqual(before);
  });

  test('the join waits for --tls-bootstrap-timeout; after a late approval, a resume uses the same CSR', async () => {
    const running = joining('--tls-bootstrap-timeout', '3s');
    const name = await waiting();
    const { code, stderr, ms } = await running.done;
    expect(stderr).toContain(
      'E_STEP_TIME_LIMIT in step tls-bootstrap: step tls-bootstrap did not finish within its time limit of 3 s',
    );
    expect([code, ms < 8_000]).toEqual([7, true]);
    expect(existsSync(machine.path('etc/kubernetes/kubelet.conf'))).toBe(false);
    await kubectl('certificate', 'approve', name);
    const resumed = await machine.run([command, 'resume']);
    expect(resumed.code, resumed.stderr).toBe(0);
    expect((await names()).map((each) => each.replace(/^.*\//, ''))).toEqual([name]);
    expect((await machine.run([command, 'undo', '--yes'])).code).toBe(0);
    expect(state()).toEqual(before);
  });

  test('Ctrl-C ends the wait at once, and only the CSR remains, which a machine may not delete', async () => {
    const running = joining();
    const name = await waiting();
    await sleep(300);
    const from = performance.now();
    running.kill('SIGINT');
    const { code, stdout, stderr } = await running.done;
    expect([code, performance.now() - from < 2_000]).toEqual([130, true]);
    expect(stdout + stderr).toContain(name);
    expect(state()).toEqual(before);
    expect(walk(machine.path('/run/joinery'))).toEqual([]);
    expect(await names()).toHaveLength(1);
  });
});
