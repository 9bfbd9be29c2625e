/**
 * A custom step between the kubelet's files and its start, on a machine whose kubelet is enabled and keeps crashing.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, cleanUp, type Machine, missing, projectRoot, startCluster, startMachine } from './rig.ts';

const reason = missing();
if (reason) console.warn(`the tests on a real cluster are skipped: ${reason}`);
const environment = join(projectRoot, 'test/samples/rack-label.yaml');

/** The custom step: it records the state of the machine every 0.1 s for 1.5 s. */
const SCRIPT = `set -e
for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
  systemctl is-active kubelet >> /etc/joinery/seen || true
  for file in /var/lib/kubelet/config.yaml /etc/kubernetes/kubelet.conf; do test -s $file; done
  sleep 0.1
done
mkdir -p /etc/default
echo 'KUBELET_EXTRA_ARGS="--node-labels=example.com/rack=r7"' > /etc/default/kubelet
`;

describe.skipIf(reason)(
  `an environment with a custom step on a real machine${reason ? ` (skipped: ${reason})` : ''}`,
  () => {
    let cluster: Cluster;
    let machine: Machine;
    beforeAll(async () => {
      cluster = await startCluster();
      machine = await startMachine('w1');
      mkdirSync(machine.path('/etc/joinery'), { recursive: true });
      writeFileSync(machine.path('/etc/joinery/rack-label'), SCRIPT);
    });
    afterAll(cleanUp);

    test('a custom step needs at most fifteen lines of YAML and no copy of the pipeline', () => {
      expect(readFileSync(environment, 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(15);
    });

    test('the custom step runs after all files are written, and the Node shows its effect', async () => {
      // The kubelet has no files yet: it exits, and the service manager starts it again.
      await machine.run(['systemctl', 'start', 'kubelet'], { env: { RESTART_SEC: '1' } });
      await sleep(2_500);
      expect((await machine.run(['systemctl', 'is-active', 'kubelet'])).stdout.trim()).toMatch(/^(active|activating)$/);
      const flags = [
        '--token',
        cluster.token,
        '--discovery-token-ca-cert-hash',
        cluster.caHash,
        '--cri-socket',
        machine.socket,
      ];
      const argv = [
        join(projectRoot, 'bin/join'),
        'run',
        cluster.server,
        ...flags,
        '--ignore-preflight-errors',
        'all',
        '--env',
        environment,
      ];
      const { code, stderr } = await machine.run(argv);
      expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
      expect([...new Set(readFileSync(machine.path('/etc/joinery/seen'), 'utf8').trim().split('\n'))]).toEqual([
        'inactive',
      ]);
      const label = await cluster.kubectl([
        'get',
        'node',
        'w1',
        '-o',
        'jsonpath={.metadata.labels.example\\.com/rack}',
      ]);
      expect(label).toBe('r7');
    });

    test('an undo also reverses the custom step', async () => {
      const { code, stderr } = await machine.run([join(projectRoot, 'bin/join'), 'undo', '--yes']);
      expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
      expect((await machine.run(['test', '-e', '/etc/default/kubelet'])).code).toBe(1);
    });
  },
);
