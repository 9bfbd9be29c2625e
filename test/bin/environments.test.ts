import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkForAllHosts } from '../../engine/environment/check.ts';
import { planOf } from '../../engine/pipeline/plan.ts';
import { catalog, registry } from '../helpers/app.ts';
import { joinErrorOf } from '../helpers/errors.ts';
import { cli, project, scene } from './cli.ts';

const HOST = { name: 'w1', privileged: true, architecture: 'amd64', distribution: 'debian' };
const INPUTS = {
  endpoint: '10.0.0.1:6443',
  token: 'abcdef.0123456789abcdef',
  discoveryTokenCaCertHash: [`sha256:${'0a'.repeat(32)}`],
};
const HEAD = 'apiVersion: joinery.dev/v1\nkind: Environment\nmetadata: { name: site }\n';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'environments-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function written(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

async function planWith(names: string[], inputs: Record<string, unknown> = INPUTS) {
  const { pipeline } = (await catalog.openTracked('join-worker', names)).resolveFor(HOST);
  return planOf(pipeline, registry, inputs, HOST);
}

const minutes = (count: number): number => count * 60_000;

describe('an environment that ships', () => {
  test('docs/environments.md lists every shipped environment, each with a comment and a description', async () => {
    const files = (await readdir(join(project, 'environments'))).sort();
    const text = await readFile(join(project, 'docs/environments.md'), 'utf8');
    expect([...text.matchAll(/\]\(\.\.\/environments\/(.*?)\)/g)].map(([, name]) => name).sort()).toEqual(files);
    for (const file of files)
      expect(await readFile(join(project, 'environments', file), 'utf8')).toMatch(/^# .*Use it .*\n.*description: /s);
  });

  test.each<[string, Record<string, number>, unknown]>([
    ['bare-metal', { 'kubelet-start': minutes(5), 'node-ready': minutes(15) }, 'ready'],
    [
      'cloud',
      { discovery: 10_000, 'tls-bootstrap': minutes(2), 'kubelet-start': minutes(1), 'node-ready': minutes(3) },
      'registered',
    ],
    ['air-gapped', { 'tls-bootstrap': minutes(60), 'node-ready': minutes(30) }, 'ready'],
    ['hardened', { 'tls-bootstrap': minutes(10), 'node-ready': minutes(5) }, 'registered'],
    [
      'edge',
      { discovery: minutes(1), 'tls-bootstrap': minutes(30), kubeconfig: minutes(10), 'node-ready': minutes(60) },
      'registered',
    ],
  ])('environment %s sets the timeouts of its steps', async (name, limits, wait) => {
    const { steps, inputs } = await planWith([name]);
    expect(
      Object.fromEntries(steps.filter(({ id }) => id in limits).map(({ id, timeoutMs }) => [id, timeoutMs])),
    ).toEqual(limits);
    expect(inputs.wait).toBe(wait);
  });

  test('environment edge retries for about a day', async () => {
    const { steps } = await planWith(['edge']);
    const triedMs = (id: string): number => {
      const { retry, totalMs = Number.POSITIVE_INFINITY } = steps.find((step) => step.id === id) ?? {};
      const { attempts = 0, initialMs = 0, factor = 1, capMs = 0 } = retry ?? {};
      const pausesMs = Array.from({ length: attempts - 1 }, (_, index) =>
        Math.min(initialMs * factor ** index, capMs),
      ).reduce((a, b) => a + b, 0);
      return Math.min(pausesMs, totalMs);
    };
    for (const id of ['discovery', 'cluster-config', 'preflight-cluster', 'tls-bootstrap', 'node-ready']) {
      expect(triedMs(id) / 3_600_000, id).toBeGreaterThan(23);
      expect(triedMs(id) / 3_600_000, id).toBeLessThan(26);
    }
  });

  test('environment hardened requires a pin, and no flag can override that', async () => {
    const { discoveryTokenCaCertHash: _, ...unpinned } = INPUTS;
    expect(await joinErrorOf(() => planWith(['hardened'], unpinned))).toMatchObject({
      code: 'E_INPUT',
      message: expect.stringContaining('--discovery-token-ca-cert-hash is missing'),
    });
    for (const flag of [
      '--discovery-token-unsafe-skip-ca-verification',
      '--ignore-preflight-errors=Swap',
      '--discovery-file=/x',
    ])
      expect(await cli(['run', '--env', 'hardened', '10.0.0.1:6443', flag])).toMatchObject({
        code: 2,
        stderr: expect.stringContaining(`unknown flag ${flag.split('=')[0]}`),
      });
  });
});

describe('docs/environments.md', () => {
  test('the examples in docs/environments.md fit the shipped pipeline on every machine', async () => {
    const text = await readFile(join(project, 'docs/environments.md'), 'utf8');
    const blocks = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, block]) => block ?? '');
    expect(blocks.length).toBe(4);
    for (const block of blocks) {
      const file = await written('example.yaml', block);
      const found = checkForAllHosts(await catalog.openTracked('join-worker', [file]), registry);
      expect(found.problems, block).toEqual([]);
    }
    expect(blocks[1]).toBe(await readFile(join(project, 'test/samples/rack-label.yaml'), 'utf8'));
  });

  test('docs/environments.md quotes what join pipeline explain prints', async () => {
    const text = await readFile(join(project, 'docs/environments.md'), 'utf8');
    const [, line = '', expected] = /```\n\$ join (.*)\n([^`]*)```/.exec(text) ?? [];
    const { code, stdout } = await cli(line.split(' '));
    const placeless = (text = '') => text.replace(/:\d+:\d+/g, ':LINE:COLUMN');
    expect({ code, stdout: placeless(stdout) }).toEqual({ code: 0, stdout: placeless(expected) });
  });

  test('docs/join-worker.svg is the current picture of the pipeline', async () => {
    const { stdout } = await cli(['pipeline', 'graph', '--format', 'svg']);
    expect(await readFile(join(project, 'docs/join-worker.svg'), 'utf8')).toBe(stdout);
  });
});

describe('join run --env', () => {
  test('join run --env applies the environment, and a resume refuses an environment that has changed', async () => {
    const { args, root } = await scene();
    const step = (argv: string) =>
      `${HEAD}patches:\n  - insert:\n      before: kubelet-start\n      step: { id: own, uses: file, with: { path: /etc/own, content: ${argv} } }\n  - insert: { after: own, step: { id: stop, uses: command, with: { argv: [/bin/false], query: true } } }\n`;
    const file = await written('own.yaml', step('one'));
    const failed = await cli(args('run', '--env', file));
    expect(failed.stderr).toContain('E_COMMAND_FAILED in step stop');
    expect(await readFile(join(root, 'etc/own'), 'utf8')).toBe('one');

    await writeFile(file, step('two'));
    const changed = await cli(['resume', '--root', root]);
    expect(changed).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        new RegExp(`E_RUN_CHANGED: the environment ${file} has changed since run \\S+ was started`),
      ),
    });
    const without = await cli(args('run'));
    expect(without).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /E_RUN_UNFINISHED: run \S+ is unfinished, and was started with a different environment/,
      ),
    });

    await writeFile(file, step('one'));
    const again = await cli(['resume', '--root', root]);
    expect(again.stderr).toContain('E_COMMAND_FAILED in step stop');
  });

  test('join phase NAME --env uses the values of the environment', async () => {
    const { root } = await scene();
    const file = await written('name.yaml', `${HEAD}inputs: { nodeName: "\${{ host.name }}-ghent" }\n`);
    const phase = ['phase', 'preflight', '--dry-run', '--output', 'json', '--root', root];
    const named = async (words: string[]) =>
      (JSON.parse((await cli([...phase, ...words])).stdout) as { nodeName: string }).nodeName;
    expect([await named([]), await named(['--env', file]), await named(['--env', file, '--node-name', 'w3'])]).toEqual([
      'w1',
      'w1-ghent',
      'w3',
    ]);
  });
});
