/** DynamicKubeletConfig on a real cluster of the last family that has it, with and without the admission plugin that forbids it. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Cluster, cleanUp, type Machine, missing, projectRoot, startCluster, startMachine } from './rig.ts';
import { walk } from './tree.ts';

const command = join(projectRoot, 'bin/join');
const INIT = 'var/lib/kubelet/config/init/kubelet';
const GATE = ['--feature-gates', 'DynamicKubeletConfig=true,CoreDNS=true'];
const reason = missing();

describe.skipIf(reason)(
  `the gate DynamicKubeletConfig on a real cluster${reason ? ` (skipped: ${reason})` : ''}`,
  () => {
    let machine: Machine;
    let before: string[];

    const state = () =>
      walk(machine.path('/'))
        .filter(({ path }) => !/^(var\/lib\/kubelet\/\.service|var\/lib\/joinery)(\/|$)/.test(path))
        .map(({ kind, mode, path, content }) => `${kind} ${mode} ${path} ${content.toString('base64')}`);
    // The stand-in of the service manager waits that long before it starts again a kubelet that has ended itself.
    const run = (...args: string[]) => machine.start([command, ...args], { env: { RESTART_SEC: '1' } }).done;
    const joining = ({ server, token, caHash }: Cluster, ...extra: string[]) =>
      run(
        ...['run', server, '--token', token, '--discovery-token-ca-cert-hash', caHash, '--cri-socket', machine.socket],
        ...['--ignore-preflight-errors', 'all', ...extra],
      );
    const nodeOf = async (cluster: Cluster) =>
      JSON.parse(await cluster.kubectl(['get', 'node', machine.name, '-o', 'json']));
    const until = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
      for (const from = Date.now(); !(await holds()); await sleep(200))
        if (Date.now() > from + 60_000) throw new Error(`not within a minute: ${what}`);
    };

    beforeAll(async () => {
      machine = await startMachine('w7');
      writeFileSync(
        machine.path('etc/default/kubelet'),
        'KUBELET_EXTRA_ARGS="--dynamic-config-dir=/var/lib/kubelet/dynamic"\n',
      );
      before = state();
    });
    beforeEach(({ onTestFailed }) => {
      onTestFailed(async () => console.error((await machine.run(['journalctl', '-u', 'kubelet', '-n', '40'])).stdout));
    });
    afterAll(cleanUp);

    describe('without NodeRestriction', () => {
      let cluster: Cluster;
      beforeAll(async () => {
        cluster = await startCluster({ apiserverArgs: '--disable-admission-plugins NodeRestriction' });
      });
      afterAll(() => cluster.stop());

      test('a dry run says what would be written and set, and sets nothing', async () => {
        const { code, stdout, stderr } = await joining(cluster, ...GATE, '--dry-run');
        expect(code, stderr).toBe(0);
        expect(stdout).toContain(`would create /${INIT} (0644)`);
        expect(stdout).toMatch(/dynamic-kubelet-config: .*\n.*\n +would patch nodes w7/);
        expect(state()).toEqual(before);
      });

      test('the init configuration is written, spec.configSource is set, and the kubelet assigns and uses it', async () => {
        const from = performance.now();
        const { code, stdout, stderr } = await joining(cluster, ...GATE, '--wait', 'ready');
        expect(code, stderr).toBe(0);
        console.log(`join with DynamicKubeletConfig, until assigned: ${Math.round(performance.now() - from)} ms`);
        expect(stdout).toContain('! the feature gate CoreDNS (kubeadm 1.9 to 1.12) has no effect on a join');

        const written = readFileSync(machine.path(INIT), 'utf8');
        expect(written).toBe(readFileSync(machine.path('var/lib/kubelet/config.yaml'), 'utf8'));
        expect(written).toContain('kind: KubeletConfiguration');
        expect((statSync(machine.path(INIT)).mode & 0o777).toString(8)).toBe('644');

        const source = { namespace: 'kube-system', name: 'kubelet-config-1.20', kubeletConfigKey: 'kubelet' };
        const { spec, status } = await nodeOf(cluster);
        expect(spec.configSource).toEqual({ configMap: source });
        expect(status.config.assigned.configMap).toMatchObject(source);
        await until('it is active', async () => (await nodeOf(cluster)).status.config?.active !== undefined);
        console.log(`active after ${Math.round(performance.now() - from)} ms`);
        expect((await nodeOf(cluster)).status.config.error).toBeUndefined();
      });

      test('a second run changes nothing', async () => {
        const { code, stdout, stderr } = await joining(cluster, ...GATE);
        expect(code, stderr).toBe(0);
        expect(stdout).toContain('no changes needed');
      });

      test('an undo takes configSource off the Node, and what the kubelet kept of it off the machine', async () => {
        const [first] = (await run('runs')).stdout.split('\n').slice(-2);
        const { code, stdout, stderr } = await run('undo', String(first?.split(' ')[0]), '--yes');
        expect(code, stdout + stderr).toBe(0);
        expect((await nodeOf(cluster)).spec.configSource).toBeUndefined();
        expect(state()).toEqual(before);
      });
    });

    describe('with NodeRestriction', () => {
      let cluster: Cluster;
      beforeAll(async () => {
        cluster = await startCluster();
      });

      test('is refused by exactly that, with the command for an admin; after that command a resume gets there', async () => {
        const { code, stderr } = await joining(cluster, ...GATE);
        expect(code).toBe(5);
        expect(stderr).toContain(
          'E_DYNAMIC_CONFIG_FORBIDDEN in step dynamic-kubelet-config: node w7 is not allowed to set its own spec.configSource: the admission plugin NodeRestriction forbids it',
        );
        expect((await nodeOf(cluster)).spec.configSource).toBeUndefined();
        const [, patch = ''] = /kubectl patch node w7 -p '(.*)'/.exec(stderr) ?? [];
        await cluster.kubectl(['patch', 'node', 'w7', '-p', patch]);
        const resumed = await run('resume');
        expect(resumed.code, resumed.stderr).toBe(0);
        expect((await nodeOf(cluster)).status.config.assigned.configMap.name).toBe('kubelet-config-1.20');
        expect((await run('undo', '--yes')).code).toBe(0);
        expect((await nodeOf(cluster)).spec.configSource).toBeUndefined();
        expect(state()).toEqual(before);
      });

      test('with the gate off nothing of it happens', async () => {
        const { code, stdout, stderr } = await joining(cluster, '--feature-gates', 'DynamicKubeletConfig=false');
        expect(code, stderr).toBe(0);
        expect(stderr).toContain('dynamic-kubelet-config: nothing to do: the feature gate DynamicKubeletConfig is off');
        expect(stdout).not.toContain('configSource');
        expect(existsSync(machine.path(INIT))).toBe(false);
        expect((await nodeOf(cluster)).spec.configSource).toBeUndefined();
        expect((await run('undo', '--yes')).code).toBe(0);
        expect(state()).toEqual(before);
      });
    });
  },
);
