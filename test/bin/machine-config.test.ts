/** `/etc/joinery/config.yaml`: what it sets, what wins over it, and what is refused. */
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { catalog } from '../helpers/app.ts';
import { cli, project } from './cli.ts';

const PIN = `sha256:${'0a'.repeat(32)}`;
const HEAD = 'apiVersion: joinery.dev/v1\nkind: Config\n';
let root: string;
let file: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'machine-config-'));
  file = join(root, 'etc/joinery/config.yaml');
  await mkdir(dirname(file), { recursive: true });
});
afterEach(() => rm(root, { recursive: true, force: true }));

const write = (text: string) => writeFile(file, HEAD + text, { mode: 0o644 });
async function origins(args: readonly string[] = [], variables: Record<string, string> = {}) {
  const { stdout, stderr } = await cli(['pipeline', 'explain', '--root', root, '-o', 'json', ...args], variables);
  if (stdout === '') throw new Error(stderr);
  const rows = (JSON.parse(stdout) as { values: { path: string[]; value: unknown; origin: Record<string, unknown> }[] })
    .values;
  return (path: string) => {
    const row = rows.find((each) => each.path.join('.') === path);
    const { file: from, line, name } = row?.origin ?? {};
    return row && [row.value, from === undefined ? name : `${from}:${line}`];
  };
}

describe('the order of the sources of a value', () => {
  const TEXT = 'inputs:\n  endpoint: 10.0.0.1:6443\n  criSocket: unix:///from-the-machine.sock\n  wait: ready\n';

  test('the configuration of the machine wins over environments and defaults, with its line', async () => {
    await write(`environments: [cloud]\n${TEXT}  discoveryTimeout: 7s\n`);
    const at = await origins();
    expect(at('values.endpoint')).toEqual(['10.0.0.1:6443', `${file}:5`]);
    expect(at('values.wait')).toEqual(['ready', `${file}:7`]);
    expect(at('values.discoveryTimeout')).toEqual(['7s', `${file}:8`]);
    expect(at('environments.0')).toEqual(['cloud', `${file}:3`]);
    expect(at('values.kubeletHealthCheckTimeout')?.[1]).toMatch(/^cloud\.yaml:/);
  });

  test('a flag, a variable and a kubeadm file win over it', async () => {
    await write(TEXT);
    const config = join(root, 'join.yaml');
    await writeFile(
      config,
      `apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
discovery: { bootstrapToken: { token: abcdef.0123456789abcdef, apiServerEndpoint: "10.0.0.9:6443", caCertHashes: ["${PIN}"] } }
`,
    );
    const at = await origins(['--config', config, '--wait', 'started'], { JOINERY_CRI_SOCKET: 'unix:///v.sock' });
    expect(at('values.endpoint')).toEqual(['10.0.0.9:6443', `${config}:3`]);
    expect(at('values.criSocket')).toEqual(['unix:///v.sock', 'JOINERY_CRI_SOCKET']);
    expect(at('values.wait')).toEqual(['started', '--wait']);
  });

  test('an environment on the command line takes the place of those in the file', async () => {
    await write('environments: [cloud]\n');
    const at = await origins(['--env', 'edge']);
    expect(at('environments.0')).toBeUndefined();
    expect(at('values.kubeletHealthCheckTimeout')?.[1]).toMatch(/^edge\.yaml:/);
  });

  test('another way to find the cluster puts the one of the machine aside', async () => {
    await write(`${TEXT}  discoveryTokenCaCertHash: ["${PIN}"]\n`);
    const byFile = await origins(['--discovery-file', '/etc/cluster.conf']);
    expect([byFile('values.endpoint'), byFile('values.discoveryTokenCaCertHash')]).toEqual([undefined, undefined]);
    await write('inputs: { discoveryFile: /etc/cluster.conf }\n');
    expect((await origins(['--endpoint', '10.0.0.1:6443']))('values.discoveryFile')).toBeUndefined();
    expect((await origins())('values.discoveryFile')).toEqual(['/etc/cluster.conf', `${file}:3`]);
  });

  test('a wrong value is reported with its line in the file', async () => {
    await write('inputs:\n  discoveryTimeout: soon\n');
    const { code, stderr } = await cli(['plan', '--root', root]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(`${file}:4:21: inputs.discoveryTimeout`)]);
  });
});

describe('the flags that it sets', () => {
  test('output is that of the file, unless a flag says otherwise', async () => {
    await write('output: json\n');
    expect(JSON.parse((await cli(['plan', '--root', root])).stdout).error.code).toBe('E_INPUT');
    expect((await cli(['plan', '--root', root, '-o', 'text'])).stdout).toBe('');
  });

  test('colours are those of the file, unless a flag or a variable says otherwise', async () => {
    await write('color: always\n');
    const coloured = async (args: string[], variables = {}) =>
      (await cli(['plan', '--root', root, ...args], variables)).stderr.includes('\u001b[');
    expect(await coloured([])).toBe(true);
    expect(await coloured(['--color', 'never'])).toBe(false);
    expect(await coloured([], { NO_COLOR: '1' })).toBe(false);
  });

  test('the token comes from a private file, and no output shows it', async () => {
    const token = join(root, 'token');
    await writeFile(token, 'abcdef.0123456789abcdef\n', { mode: 0o600 });
    await write(`tokenFile: ${token}\n`);
    expect((await origins())('values.token')).toEqual(['***', `${file}:3`]);
    await chmod(token, 0o640);
    expect((await cli(['plan', '--root', root])).stderr).toContain(
      `${file}:3:12: others may read the token (mode 640): chmod go-rwx ${token}`,
    );
  });
});

describe('a file that cannot be used', () => {
  test('mistakes are listed with their lines', async () => {
    await write('inputs:\n  endpont: 10.0.0.1:6443\n  token: abcdef.0123456789abcdef\n  wait: soon\n');
    const { code, stderr } = await cli(['run', '--root', root]);
    expect(code).toBe(3);
    expect(stderr).toContain(`E_MACHINE_CONFIG:\n  ${file}:4:3: unknown key endpont; did you mean endpoint?`);
    expect(stderr).toContain('> 4 |   endpont: 10.0.0.1:6443');
    expect(stderr).toContain(`${file}:5:3: unknown key token`);
    expect(stderr).toContain(`${file}:6:9: must be one of`);
    expect(stderr).not.toContain('0123456789abcdef');
    expect(stderr).toContain(`pipeline explain values --root ${root}`);
  });

  test('a file that other users can change is refused', async () => {
    await write('output: text\n');
    await chmod(file, 0o666);
    const { code, stderr } = await cli(['plan', '--root', root]);
    expect([code, stderr]).toEqual([12, expect.stringContaining(`E_FILE_UNTRUSTED: ${file}`)]);
  });

  test('the help and other commands do not depend on it', async () => {
    await write('wrong\n');
    for (const args of [
      ['plan', '--root', root, '--help'],
      ['runs', '--root', root],
      ['doctor', '--root', root],
    ])
      expect((await cli(args)).stderr).not.toContain('E_MACHINE_CONFIG');
  });
});

test('each input of the schema is an input of a pipeline that joins a machine, and not a secret', async () => {
  const schema = JSON.parse(await readFile(join(project, 'schemas/config.schema.json'), 'utf8'));
  const pipelines = ['join-worker', 'join-control-plane'];
  const opened = await Promise.all(pipelines.map(async (name) => (await catalog.openOverlaid(name, []))()));
  const known = Object.assign({}, ...opened.map(({ inputs }) => inputs.properties));
  for (const [name, { type = 'string', enum: options }] of Object.entries<Record<string, unknown>>(
    schema.properties.inputs.properties,
  )) {
    expect([name, known[name]?.enum ?? known[name]?.type]).toEqual([name, options ?? type]);
    expect(known[name]).not.toHaveProperty('writeOnly');
  }
});

test('the example of docs/configuration.md is valid', async () => {
  const text = await readFile(join(project, 'docs/configuration.md'), 'utf8');
  const [, example = ''] = /```yaml\n(apiVersion: joinery\.dev\/v1\nkind: Config\n[\s\S]*?)```/.exec(text) ?? [];
  await writeFile(file, example);
  const at = await origins();
  expect(at('values.criSocket')?.[0]).toBe('unix:///run/containerd/containerd.sock');
  expect(at('environments.0')?.[0]).toBe('bare-metal');
});
