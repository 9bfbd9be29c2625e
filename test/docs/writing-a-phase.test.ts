/** Follows docs/writing-a-phase.md in an empty folder. `test/packed` does the same with the packed package. */
import { mkdir, readFile, symlink } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';
import { project } from '../bin/cli.ts';
import { follow, stepsOf } from '../helpers/guide.ts';
import { scratch } from '../helpers/machine.ts';

test('docs/writing-a-phase.md leads to a phase that keeps the contract, was tried, is in the pipeline and is locked', {
  timeout: 120_000,
}, async () => {
  const steps = stepsOf(await readFile(join(project, 'docs/writing-a-phase.md'), 'utf8'));
  expect(steps.map(({ path }) => path)).toEqual([
    ...[undefined, 'schema.js', 'index.js', undefined, 'test/acme-mirror.test.js', undefined, undefined],
    ...['acme.yaml', undefined],
  ]);
  const home = await scratch();
  await mkdir(join(home, 'bin'));
  await symlink(join(project, 'bin/join.cjs'), join(home, 'bin/join'));
  const said = await follow(steps, home, {
    ...process.env,
    PATH: `${join(home, 'bin')}${delimiter}${process.env.PATH}`,
  });
  expect(said).toContain('# fail 0');
  expect(said).toContain('✓ phase acme-mirror: Pull the images of a registry from a mirror');
  expect(said).toContain('would create /etc/containerd/certs.d/docker.io/hosts.toml (0600)');
  expect(said).toMatch(/Run \S+ is undone\./);
  expect(said).toContain('steps, no problems');
  expect(said).toMatch(/^ {2}- id: acme-mirror$/m);
  expect(said).toMatch(/^acme-mirror +0\.1\.0 +pinned +acme-mirror/m);
});

test('the lock in docs/plugin-trust.md has the form of joinery.lock', async () => {
  const text = await readFile(join(project, 'docs/plugin-trust.md'), 'utf8');
  const [, shown = ''] = /```json\n([\s\S]*?)```/.exec(text) ?? [];
  expect(JSON.parse(shown)).toEqual({
    lockVersion: 1,
    plugins: { 'acme-mirror': { version: '0.1.0', integrity: 'sha512-…' } },
  });
});
