import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CheckResult } from '../../engine/sdk/index.ts';
import { cli, scene } from './cli.ts';
import { documentOf } from './documents.ts';

describe('join phase', () => {
  test('join phase lists the phases', async () => {
    const { stdout } = await cli(['phase']);
    expect(stdout.split('\n')[0]).toMatch(/^preflight +Check that this machine can join$/);
  });

  test('phase discovery --dry-run prints what it verified, and that nothing would change', async () => {
    const { sandbox, args } = await scene();
    const { code, stdout, stderr } = await cli(args('phase', 'discovery', '--dry-run'));
    expect(code, stderr).toBe(0);
    expect(stdout).toBe(`Plan: nothing to do
This was a dry run of phase discovery: nothing was changed.
✓ discovery: Find and verify the cluster through a bootstrap token and pinned CA keys
    the signature of token ${sandbox.token.slice(0, 6)} on cluster-info from ${sandbox.endpoint} is valid
    the CA matches the pinned key ${sandbox.caPin}
    the API server is https://${sandbox.endpoint}
    no changes
    identity = (3 entries)
    server = https://${sandbox.endpoint}
    ca = (${sandbox.caPem.trimEnd().split('\n').length} lines)
`);
  });

  describe('preflight --output json', () => {
    const preflight = async (root: string, ...more: string[]) => {
      const { code, stdout } = await cli(['phase', 'preflight', '--root', root, '--output', 'json', ...more]);
      const { steps, error } = documentOf('RunResult', stdout);
      const checks: CheckResult[] = steps[0].outputs?.checks ?? error.facts.checks;
      return { code, checks, of: (name: string) => checks.filter(({ check }) => check === name) };
    };

    test('phase preflight --output json prints the result and the evidence of each check', async () => {
      const { root } = await scene({ profile: '1.24' }); // later kubelets warn, because the machine has cgroups v1
      const { code, checks, of } = await preflight(root, '10.0.0.1:6443');
      expect(code).toBe(0);
      expect(checks.filter(({ result }) => result !== 'ok')).toEqual([]);
      expect(of('CRI')).toMatchObject([
        { evidence: 'containerd 0.0.0-stand-in answers at /run/containerd/containerd.sock (CRI v1)', hint: '' },
      ]);
      expect(of('KubeletVersion')).toMatchObject([{ evidence: 'the kubelet has version v1.24.17' }]);
    });

    test('phase preflight prints all checks if some fail, and exits 4, or 0 if either flag ignores them', async () => {
      const { root, tree } = await scene({ profile: '1.20' });
      await writeFile(join(root, 'proc/swaps'), 'Filename\n/dev/sda2 partition 1 0 -2\n');
      await mkdir(join(root, 'etc/kubernetes'));
      await writeFile(join(root, 'etc/kubernetes/kubelet.conf'), '');
      const before = await tree();
      const { code, checks, of } = await preflight(root);
      expect(code).toBe(4);
      expect(checks.length).toBeGreaterThan(25);
      expect(of('Swap')).toEqual([
        {
          check: 'Swap',
          result: 'error',
          evidence: 'swap is on: /dev/sda2',
          hint: 'swapoff -a, and remove it from /etc/fstab to keep it off',
        },
      ]);
      const file = 'FileAvailable--etc-kubernetes-kubelet.conf';
      const ignoring = await preflight(root, '--ignore-checks-errors', 'swap', '--ignore-preflight-errors', file);
      expect([ignoring.code, ignoring.of('Swap')[0]?.result, ignoring.of(file)[0]?.result]).toEqual([
        0,
        'ignored',
        'ignored',
      ]);
      expect((await cli(['phase', 'preflight', '--root', root, '--ignore-checks-errors', 'all,Swap'])).code).toBe(2);
      expect(await tree()).toEqual(before);
    });
  });

  test('join phase NAME takes documents as YAML, from a file or from the command line', async () => {
    const { sandbox, root } = await scene();
    const [ca, config] = [join(root, '../ca.crt'), join(root, '../kubelet.yaml')];
    await writeFile(ca, sandbox.caPem);
    await writeFile(config, 'kind: KubeletConfiguration\nmaxPods: 7\n');
    const args = ['phase', 'kubelet-config', '--ca', `@${ca}`, '--root', root, '--kubelet-configuration'];
    const { code, stderr } = await cli([...args, `@${config}`]);
    expect(code, stderr).toBe(0);
    expect(await readFile(join(root, 'var/lib/kubelet/config.yaml'), 'utf8')).toContain('maxPods: 7\n');
    const typed = await cli([...args, '{ kind: KubeletConfiguration, maxPods: 8 }']);
    expect(typed.code, typed.stderr).toBe(0);
    expect(await readFile(join(root, 'var/lib/kubelet/config.yaml'), 'utf8')).toContain('maxPods: 8\n');
    for (const [text, says] of [
      ['{ kind', '--kubelet-configuration is not valid YAML: '],
      ['{ kind: Pod }', '--kubelet-configuration'],
    ]) {
      const refused = await cli([...args, text ?? '']);
      expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining(says ?? '')]);
    }
  });

  test('join phase NAME takes the inputs of the phase as flags, and reads @FILE from a file', async () => {
    const { sandbox, root, tree } = await scene();
    const ca = join(root, '../ca.crt');
    await writeFile(ca, sandbox.caPem);
    const { code, stdout, stderr } = await cli([
      'phase',
      'tls-bootstrap',
      '--server',
      `https://${sandbox.endpoint}`,
      '--ca',
      `@${ca}`,
      '--token',
      sandbox.token,
      '--root',
      root,
    ]);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain('    key = ***');
    expect(sandbox.store.list('certificatesigningrequests')).toHaveLength(1);
    expect(Object.keys(await tree()).filter((path) => path.startsWith('/run/joinery'))).toEqual([]);
  });

  test('join phase NAME --help lists the effects of the phase', async () => {
    const { stdout } = await cli(['phase', 'kubeconfig', '--help']);
    expect(stdout).toContain('writes /etc/kubernetes/kubelet.conf (0600)');
    expect(stdout).toContain('--server');
  });
});
