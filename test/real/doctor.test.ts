/** `join doctor` on a real machine: before a join, during the wait for approval, after the join, and with problems. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, cleanUp, type Machine, missing, projectRoot, startCluster, startMachine } from './rig.ts';

const command = join(projectRoot, 'bin/join');
const reason = missing();

describe.skipIf(reason)(`join doctor on a real machine${reason ? ` (skipped: ${reason})` : ''}`, () => {
  let cluster: Cluster;
  let machine: Machine;
  const joining = (...extra: string[]) => [
    ...[command, 'run', cluster.server, '--token', cluster.token, '--discovery-token-ca-cert-hash', cluster.caHash],
    ...['--cri-socket', machine.socket, '--ignore-preflight-errors', 'all', ...extra],
  ];
  const examined = async () => {
    const { code, stdout, ms } = await machine.run([command, 'doctor', '--output', 'json']);
    const { healthy, next, findings } = JSON.parse(stdout);
    expect(code).toBe(healthy ? 0 : 6);
    expect(ms).toBeLessThan(10_000);
    const bad = findings.filter(({ state }: { state: string }) => state !== 'ok');
    return { healthy, next, bad: bad.map(({ check, what }: { check: string; what: string }) => `${check}: ${what}`) };
  };

  beforeAll(async () => {
    cluster = await startCluster();
    machine = await startMachine('w13');
  });
  afterAll(cleanUp);

  test('reports no problem on a fresh machine', async () => {
    expect(await examined()).toEqual({
      healthy: true,
      next: undefined,
      bad: [
        'run: no run is recorded on this machine',
        'identity: this machine has not joined a cluster',
        'kubelet: its service is not running (expected before a join)',
      ],
    });
  });

  test('prints the approval command while a join waits for approval', async () => {
    await cluster.kubectl(['delete', 'clusterrolebinding', 'kubeadm:node-autoapprove-bootstrap']);
    const running = machine.start(joining('--wait', 'ready'));
    let name = '';
    for (let tries = 0; name === '' && tries < 300; tries++) {
      await sleep(50);
      name = (await cluster.kubectl(['get', 'csr', '-o', 'jsonpath={.items[*].metadata.name}'])).trim();
    }
    const { healthy, next, bad } = await examined();
    expect([healthy, next]).toEqual([false, `kubectl certificate approve ${name}\nbin/join attach`]);
    expect(bad).toContain(`csr: ${name} is Pending: it needs approval`);
    await cluster.kubectl(['certificate', 'approve', name]);
    const { code, stderr } = await running.done;
    expect(code, stderr).toBe(0);
    expect(await examined()).toEqual({ healthy: true, next: undefined, bad: [] });
  });

  test('reports a stopped kubelet, a deleted Node and an unreachable cluster', async () => {
    await machine.stopKubelet();
    const stopped = await examined();
    expect([stopped.next, stopped.bad]).toEqual([
      'systemctl start kubelet',
      [expect.stringMatching(/^kubelet: its service is not running/)],
    ]);
    await cluster.kubectl(['delete', 'node', 'w13']);
    expect((await examined()).bad).toContain(
      'node: the cluster has no Node w13: the kubelet has not registered, or the Node was deleted',
    );
    await cluster.stop();
    expect((await examined()).bad).toContainEqual(expect.stringMatching(/^api-server: E_API_UNREACHABLE: /));
  });
});
