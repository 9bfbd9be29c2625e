/** Control planes join the sandbox, with the commands that it prints. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openPlayground, type Playground } from '../../bin/commands/sandbox/machine.ts';
import { cli, project } from './cli.ts';

const launcher = join(project, 'bin/join.cjs');

let playground: Playground;
beforeAll(async () => {
  playground = await openPlayground([process.execPath, launcher], { controlPlanes: true });
});
afterAll(() => playground.close());

test('sandbox demo --control-plane shows a second member of etcd, its Pods, and nothing of both after the undo', {
  timeout: 60_000,
}, async () => {
  const { code, stdout, stderr } = await cli(['sandbox', 'demo', '--control-plane']);
  expect(code, stderr).toBe(0);
  const [joined = '', undone = ''] = stdout.split('The join is undone.');
  expect(joined).toMatch(/control-plane-1 at https:\S+ \(voter\)\n {2}control-plane-2 at https:\S+ \(voter\)\n/);
  for (const program of ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler']) {
    expect(joined).toContain(`  kube-system/${program}-control-plane-2\n`);
    expect(joined).toContain(`  0600 /etc/kubernetes/manifests/${program}.yaml\n`);
  }
  expect(undone).toMatch(/Members of etcd:\n {2}control-plane-1 at \S+ \(voter\)\n\n/);
  expect(undone).toContain('Files that are not as before the join: none\n');
});

test('certs upload and token create print a command that can join the sandbox as a control plane', {
  timeout: 60_000,
}, async () => {
  const { controlPlane, kubeconfig, root } = playground;
  const { firstRoot = '', joinArguments = [] } = controlPlane ?? {};
  const uploaded = await cli(['certs', 'upload', '--root', firstRoot, '--kubeconfig', kubeconfig]);
  const key = uploaded.stdout.trim();
  const created = await cli([
    'token',
    'create',
    '--print-join-command',
    '--kubeconfig',
    kubeconfig,
    '--certificate-key',
    key,
  ]);
  const [, ...words] = created.stdout.trim().split(/ run /).join(' ').split(' ');
  expect(words).toEqual(expect.arrayContaining(['--control-plane', '--certificate-key', key]));
  const address = ['--apiserver-advertise-address', controlPlane?.sandbox.advertiseAddress ?? ''];
  const dry = ['run', ...words, ...address, '--root', root, '--dry-run'];
  const { code, stderr, stdout } = await cli(dry);
  expect(code, stderr).toBe(0);
  expect(stdout).toContain('to etcd as a learner');
  // The key that the sandbox printed at first no longer decrypts them.
  expect((await cli(['run', ...joinArguments, '--dry-run'])).stderr).toContain('E_CERTIFICATE_KEY');
});
