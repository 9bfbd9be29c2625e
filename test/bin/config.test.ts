import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadJoinConfiguration } from '../../engine/kubeadm/index.ts';
import { examples, SECRET } from '../helpers/kubeadm.ts';
import { cli } from './cli.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'config-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));
async function writeFixture(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

describe('join config validate', () => {
  test('config validate accepts a valid file, and prints its warnings', async () => {
    const file = await writeFixture('a.yaml', `${examples.v1beta2}---\napiVersion: a/b\nkind: Other\n`);
    expect(await cli(['config', 'validate', file])).toEqual({
      code: 0,
      stdout: `${file}: valid kubeadm.k8s.io/v1beta2, no problems\n`,
      stderr: `! ${file}:19:1: the Other is ignored: it does not configure joining\n`,
    });
  });

  test('config validate prints the content of the file as JSON, without the tokens', async () => {
    const file = await writeFixture('a.yaml', examples.v1beta4);
    const { code, stdout, stderr } = await cli(['config', 'validate', file, '--output', 'json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({
      apiVersion: 'joinery.dev/v1',
      kind: 'ConfigValidation',
      file,
      valid: true,
      version: 'kubeadm.k8s.io/v1beta4',
      settings: { discovery: { token: '***' }, tlsBootstrapToken: '***', nodeName: 'w1' },
      warnings: [],
    });
    expect(stdout).not.toContain(SECRET);
  });

  test('config validate rejects what the pipeline of join run rejects in the file, in the same words', async () => {
    const file = await writeFixture('a.yaml', examples.v1beta4.replace('[preflight]', '[preflihgt]'));
    const validated = await cli(['config', 'validate', file]);
    expect([validated.code, validated.stderr]).toEqual([
      2,
      expect.stringMatching(/^\nE_INPUT: \S+a\.yaml:\d+:\d+: skipPhases: there is no phase preflihgt; did you mean/),
    ]);
    const run = await cli(['run', '--config', file, '--root', folder]);
    const problem = (text: string) => text.split('\n')[1];
    expect(problem(run.stderr)).toBe(problem(validated.stderr));
  });

  test('config validate reports every problem with its position, and exits 3', async () => {
    const file = await writeFixture('a.yaml', `${examples.v1beta4.replace('token: cafe01', 'token: CAFE01')}nope: 1\n`);
    const text = await cli(['config', 'validate', file]);
    expect(text.code).toBe(3);
    expect(text.stderr).toContain(`E_CONFIG:\n  ${file}:5:12: discovery.bootstrapToken.token has the wrong form`);
    expect(text.stderr).toContain(`\n  ${file}:32:1: unknown field nope\n`);
    const json = await cli(['config', 'validate', file, '--output=json']);
    expect(JSON.parse(json.stdout)).toMatchObject({
      error: {
        code: 'E_CONFIG',
        exitCode: 3,
        facts: {
          problems: [
            { file, line: 5, column: 12 },
            { line: 32, column: 1 },
          ],
        },
      },
    });
    for (const { stdout, stderr } of [text, json]) expect(stdout + stderr).not.toContain(SECRET);
  });

  test('config validate --lenient only warns about unknown fields', async () => {
    const file = await writeFixture('a.yaml', `${examples.v1beta4}caCertPaths: 1\n`);
    expect(await cli(['config', 'validate', file, '--lenient'])).toMatchObject({
      code: 0,
      stderr: `! ${file}:32:1: unknown field caCertPaths; did you mean caCertPath?\n`,
    });
  });

  test('config validate exits 3 for a wrong certificate key, without printing it, and for no file', async () => {
    const file = await writeFixture('a.yaml', `${examples.v1beta4}controlPlane: { certificateKey: ${SECRET} }\n`);
    const refused = await cli(['config', 'validate', file]);
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain(`${file}:32:33: controlPlane.certificateKey must be 64 hexadecimal digits`);
    expect(refused.stderr).not.toContain(SECRET);
    const missing = await cli(['config', 'validate', join(folder, 'none.yaml')]);
    expect(missing.code).toBe(3);
    expect(missing.stderr).toContain(
      `E_CONFIG_FILE: cannot read the configuration file ${join(folder, 'none.yaml')}: does not exist`,
    );
  });
});

describe('join config migrate', () => {
  test('config migrate writes to standard output, and reports lost fields on standard error', async () => {
    const file = await writeFixture('a.yaml', examples.v1alpha1);
    for (const to of [[], ['--new-config', '-']]) {
      const { code, stdout, stderr } = await cli(['config', 'migrate', '--old-config', file, ...to]);
      expect(code, stderr).toBe(0);
      expect(loadJoinConfiguration('', stdout)).toMatchObject({ apiVersion: 'kubeadm.k8s.io/v1beta4', warnings: [] });
      expect(stderr.split('\n')).toEqual([
        '! criSocket is changed: unix:// was added, because kubeadm only accepts URLs',
        '! clusterName is lost: kubeadm reads it from the cluster',
        '! featureGates is lost: kubeadm reads them from the cluster',
        '',
      ]);
      expect(stderr).not.toContain(SECRET);
    }
  });

  test('config migrate replaces the new file, which only its owner can read', async () => {
    const file = await writeFixture('a.yaml', examples.v1beta3);
    const target = await writeFixture('b.yaml', 'old');
    await chmod(target, 0o644);
    const { code, stdout, stderr } = await cli(['config', 'migrate', '--old-config', file, '--new-config', target]);
    expect(code, stderr).toBe(0);
    expect(stdout).toBe(`${target}: migrated from kubeadm.k8s.io/v1beta3 to kubeadm.k8s.io/v1beta4\n`);
    expect((await stat(target)).mode & 0o777).toBe(0o600);
    expect(loadJoinConfiguration('', await readFile(target, 'utf8')).apiVersion).toBe('kubeadm.k8s.io/v1beta4');
    expect((await readdir(folder)).sort()).toEqual(['a.yaml', 'b.yaml']);
    expect(stdout + stderr).not.toContain(SECRET);
  });

  test('config migrate never writes through a link', async () => {
    const file = await writeFixture('a.yaml', examples.v1beta3);
    const elsewhere = await writeFixture('elsewhere', 'untouched');
    await symlink(elsewhere, join(folder, 'link.yaml'));
    await cli(['config', 'migrate', '--old-config', file, '--new-config', join(folder, 'link.yaml')]);
    expect(await readFile(elsewhere, 'utf8')).toBe('untouched');
  });

  test('config migrate --output json lists the changed fields, and requires --new-config', async () => {
    const file = await writeFixture('a.yaml', examples.v1alpha1);
    const target = join(folder, 'b.yaml');
    const { stdout } = await cli([
      'config',
      'migrate',
      '--old-config',
      file,
      '--new-config',
      target,
      '--output',
      'json',
    ]);
    expect(JSON.parse(stdout)).toMatchObject({
      kind: 'ConfigMigration',
      from: 'kubeadm.k8s.io/v1alpha1',
      to: 'kubeadm.k8s.io/v1beta4',
      newConfig: target,
      changes: [{ field: 'criSocket', lost: false }, { field: 'clusterName', lost: true }, { lost: true }],
    });
    expect(stdout).not.toContain(SECRET);
    const refused = await cli(['config', 'migrate', '--old-config', file, '--output', 'json']);
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stdout + refused.stderr).not.toContain(SECRET);
  });

  test('config migrate writes nothing if the old file is invalid or the new folder is missing', async () => {
    const file = await writeFixture('a.yaml', `${examples.v1beta3}nope: 1\n`);
    const target = join(folder, 'b.yaml');
    expect(await cli(['config', 'migrate', '--old-config', file, '--new-config', target])).toMatchObject({ code: 3 });
    expect(await readdir(folder)).toEqual(['a.yaml']);
    const nowhere = await cli([
      'config',
      'migrate',
      '--lenient',
      '--old-config',
      file,
      '--new-config',
      join(folder, 'x/y'),
    ]);
    expect(nowhere.code).toBe(6);
    expect(nowhere.stderr).toContain(`E_FILE: ${join(folder, 'x/y')}`);
    expect(nowhere.stderr).not.toContain(SECRET);
  });
});

describe('join config print-defaults', () => {
  test('config print-defaults prints valid YAML or JSON', async () => {
    const [yaml, json] = await Promise.all([
      cli(['config', 'print-defaults']),
      cli(['config', 'print-defaults', '--output', 'json']),
    ]);
    expect(loadJoinConfiguration('', yaml.stdout).apiVersion).toBe('kubeadm.k8s.io/v1beta4');
    expect(parse(yaml.stdout)).toEqual(JSON.parse(json.stdout));
  });
});
