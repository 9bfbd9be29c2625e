/** docs/writing-a-phase.md, followed to the letter in an empty folder. */
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { project } from './bin/cli.ts';
import { scratch } from './helpers/machine.ts';

interface Step {
  /** Of a file to write; undefined where it is a shell to type into. */
  path: string | undefined;
  text: string;
}

const stepsOf = (text: string): Step[] =>
  [...text.matchAll(/(?:^`([^`\n]+)`:\n\n)?^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(([, path, language, body = '']) =>
    path !== undefined || language === 'sh' ? [{ path, text: body }] : [],
  );

test('whoever follows it has a phase that keeps the contract, tried, in the pipeline and locked', {
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
  const env = { ...process.env, PATH: `${join(home, 'bin')}${delimiter}${process.env.PATH}` };
  let at = home;
  let said = '';
  for (const { path, text } of steps) {
    if (path !== undefined) {
      await mkdir(dirname(join(at, path)), { recursive: true });
      await writeFile(join(at, path), text);
      continue;
    }
    const out = execFileSync('bash', ['-euo', 'pipefail', '-c', `${text}\necho "at:$PWD"`], {
      ...{ cwd: at, env, encoding: 'utf8' as const, stdio: ['ignore', 'pipe', 'pipe'] as const },
    });
    said += out;
    at = /^at:(.*)$/m.exec(out)?.[1] ?? at;
  }
  expect(said).toContain('# fail 0');
  expect(said).toContain('✓ phase acme-mirror: Pull the images of a registry from a mirror');
  expect(said).toContain('would create /etc/containerd/certs.d/docker.io/hosts.toml (0600)');
  expect(said).toMatch(/Run \S+ is undone\./);
  expect(said).toContain('steps, no problem');
  expect(said).toMatch(/^ {2}- id: acme-mirror$/m);
  expect(said).toMatch(/^acme-mirror +0\.1\.0 +pinned +acme-mirror/m);
});

test('the lock that docs/plugin-trust.md shows has the form of one', async () => {
  const [, text = ''] =
    /```json\n([\s\S]*?)```/.exec(await readFile(join(project, 'docs/plugin-trust.md'), 'utf8')) ?? [];
  expect(JSON.parse(text)).toEqual({
    lockVersion: 1,
    plugins: { 'acme-mirror': { version: '0.1.0', integrity: 'sha512-…' } },
  });
});
