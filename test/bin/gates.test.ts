import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cli, scene } from './cli.ts';

const GATES = ['--feature-gates', 'DynamicKubeletConfig=true,CoreDNS=true'];
const NOTE =
  "the feature gate CoreDNS (kubeadm 1.9 to 1.12) has no effect on a join: kubeadm init reads it, to decide whether the cluster's DNS server is CoreDNS";

describe('join run --feature-gates', () => {
  test('join run --help lists every feature gate with its stage and default', async () => {
    const { stdout } = await cli(['run', '--help']);
    for (const line of ['CoreDNS=true|false (ALPHA - default=false)', 'SelfHosting=true|false (BETA - default=false)'])
      expect(stdout).toContain(`\n      ${line}\n`);
  });

  test('join run reports all unknown gates and invalid values at once', async () => {
    const { code, stderr } = await cli(['run', '1.2.3.4:6443', '--feature-gates', 'CoreDSN=true,SelfHosting=maybe']);
    expect(code).toBe(2);
    expect(stderr).toContain('--feature-gates: unknown gate CoreDSN; did you mean CoreDNS?');
    expect(stderr).toContain('--feature-gates: SelfHosting=maybe is neither true nor false');
  });

  test('join run notes that a gate which only kubeadm init reads has no effect, in text and JSON', async () => {
    const { args } = await scene();
    const only = ['--feature-gates', 'CoreDNS=true'];
    const planned = await cli(args('run', ...only, '--dry-run'));
    expect(planned.stdout).toContain(`nothing was changed.\n! ${NOTE}\n`);
    const { code, stdout } = await cli(args('run', ...only, '--output', 'json'));
    expect([code, JSON.parse(stdout).notes]).toEqual([0, [NOTE]]);
  });

  test('a dry run shows the changes of a dynamic kubelet configuration', async () => {
    const { args, tree } = await scene({ profile: '1.20' });
    const before = await tree();
    const { code, stdout, stderr } = await cli(args('run', ...GATES, '--dry-run'));
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('would create /var/lib/kubelet/config/init/kubelet (0644)');
    expect(stdout).toMatch(/✓ dynamic-kubelet-config: .*\n {4}would patch nodes w1 \(not checked/);
    expect(stdout).not.toContain('uses the configuration from the cluster');
    expect(await tree()).toEqual(before);
  });

  test('join run fails if NodeRestriction forbids a dynamic configuration, and keeps the joined Node', async () => {
    const { sandbox, args, root } = await scene({ profile: '1.20' });
    const { code, stderr, stdout } = await cli(args('run', ...GATES));
    expect(code).toBe(5);
    expect(stderr).toContain(
      'E_DYNAMIC_CONFIG_FORBIDDEN in step dynamic-kubelet-config: node w1 is not allowed to set its own',
    );
    expect(stdout).toContain(`! ${NOTE}`);
    expect(sandbox.store.get('nodes', 'w1')?.spec).toEqual({});
    const [init, config] = await Promise.all(
      ['config/init/kubelet', 'config.yaml'].map((path) => readFile(join(root, 'var/lib/kubelet', path), 'utf8')),
    );
    expect(init).toBe(config);
  });

  test('join run fails before it writes anything if the cluster no longer supports dynamic configuration', async () => {
    const { sandbox, args, root } = await scene({ profile: '1.24' });
    const { code, stderr } = await cli(args('run', ...GATES));
    expect(code).toBe(5);
    expect(stderr).toContain(
      `E_DYNAMIC_CONFIG_GONE in step cluster-config: https://${sandbox.endpoint} does not support dynamic kubelet configuration: it is v1.24.17, and 1.23 was the last release`,
    );
    await expect(readFile(join(root, 'var/lib/kubelet/config.yaml'))).rejects.toMatchObject({ code: 'ENOENT' });
    expect(sandbox.store.get('nodes', 'w1')).toBeUndefined();
  });
});
