/** DynamicKubeletConfig on a real 1.20 cluster, with and without the admission plugin that denies it. */
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
    // Delay before the stand-in service manager restarts a kubelet that has exited.
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

      test('a dry run reports the changes and makes none', async () => {
        const { code, stdout, stderr } = await joining(cluster, ...GATE, '--dry-run');
        expect(code, stderr).toBe(0);
        expect(stdout).toContain(`would create /${INIT} (0644)`);
        expect(stdout).toMatch(/dynamic-kubelet-config: .*\n +would patch nodes w7/);
        expect(state()).toEqual(before);
      });

      test('writes the initial configuration, sets spec.configSource, and the kubelet uses it', async () => {
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

      test("an undo removes configSource from the Node and the kubelet's copy from the machine", async () => {
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

      test('reports NodeRestriction with the command for an administrator; a resume then succeeds', async () => {
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
        expect((await nodeOf(cluster)).spec.configSource, 'set by the administrator').toBeDefined();
        await cluster.kubectl(['patch', 'node', 'w7', '-p', '{"spec":{"configSource":null}}']);
        expect(state()).toEqual(before);
      });

      test('does nothing if the gate is off', async () => {
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
