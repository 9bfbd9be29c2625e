/** `join plan --out` and `join run --plan`. */
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import schema from '../../schemas/saved-plan.schema.json' with { type: 'json' };
import { cli, type Scene, scene } from './cli.ts';

vi.setConfig({ testTimeout: 90_000 });

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plan-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Saves a plan of the scene's join. Returns its file and the words that run it. */
async function saved({ args, root, sandbox }: Scene, name: string): Promise<{ file: string; words: string[] }> {
  const file = join(folder, name);
  const { code, stderr } = await cli(args('plan', '--out', file));
  expect(code, stderr).toBe(0);
  expect(stderr).toContain(` run --plan ${file} --root ${root}\n`);
  return { file, words: ['run', '--plan', file, '--root', root, '--token', sandbox.token] };
}

test('a saved plan is private, follows its schema, holds no secret, and runs while nothing has changed', async () => {
  const played = await scene();
  const { file, words } = await saved(played, 'same.json');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const text = await readFile(file, 'utf8');
  const validate = new Ajv2020({ strict: false }).compile(schema);
  expect(validate(JSON.parse(text)), JSON.stringify(validate.errors)).toBe(true);
  expect(text).not.toContain(played.sandbox.token.split('.')[1]);
  expect(text).not.toContain('PRIVATE KEY');
  const { code, stdout, stderr } = await cli(words);
  expect(code, stderr).toBe(0);
  expect(stdout).toMatch(/^join-worker succeeded in .*: 13 changes\.\n/);
});

test('a saved plan needs its secrets again, and accepts no other input', async () => {
  const { words } = await saved(await scene(), 'inputs.json');
  const withoutToken = await cli(words.slice(0, -2));
  expect([withoutToken.code, withoutToken.stderr]).toEqual([2, expect.stringContaining('E_PLAN_SECRET')]);
  const renamed = await cli([...words, '--node-name', 'other', '--env', 'bare-metal']);
  expect(renamed.stderr).toContain('--node-name cannot be combined with --plan, which sets it');
  expect(renamed.stderr).toContain('--env cannot be combined with --plan, which sets it');
});

test('a saved plan does not run if the machine has changed, and the error says what has', async () => {
  const played = await scene();
  const { words } = await saved(played, 'machine.json');
  await writeFile(join(played.root, 'etc/hostname'), 'w2\n');
  const renamed = await cli(words);
  expect([renamed.code, renamed.stderr]).toEqual([4, expect.stringContaining('E_PLAN_DRIFT')]);
  expect(renamed.stderr).toContain('this machine is w2, and the plan is for w1');
  await writeFile(join(played.root, 'etc/hostname'), 'w1\n');
  const before = await played.tree();
  await cli(['phase', 'file', '--path', '/var/lib/kubelet/config.yaml', '--content', 'x', '--root', played.root]);
  const { code, stderr } = await cli(words);
  expect([code, stderr]).toEqual([4, expect.stringContaining('E_PLAN_DRIFT')]);
  expect(stderr).toContain('step kubelet-config would no longer create /var/lib/kubelet/config.yaml (0644)');
  expect(stderr).toContain('step kubelet-config would also replace /var/lib/kubelet/config.yaml (0644)');
  const paths = [...Object.keys(before), '/var/lib/kubelet/config.yaml'];
  expect(Object.keys(await played.tree()).sort()).toEqual(paths.sort());
});

test('a saved plan does not run if the cluster has changed, even if the same files are written', async () => {
  const played = await scene();
  const { words } = await saved(played, 'cluster.json');
  const { store } = played.sandbox;
  const config = store.get('configmaps', 'kubelet-config', 'kube-system') as { data?: Record<string, string> };
  const data = { kubelet: `${config.data?.kubelet}maxPods: 7\n` };
  const metadata = { name: 'kubelet-config', namespace: 'kube-system' };
  store.update('configmaps', { ...config, metadata, data });
  const { code, stderr } = await cli(words);
  expect([code, stderr]).toEqual([4, expect.stringContaining('E_PLAN_DRIFT')]);
  expect(stderr).toContain('step cluster-config now has other outputs: kubeletConfiguration');
  expect(stderr).toContain('would create /var/lib/kubelet/config.yaml (0644), owner');
  expect(stderr).toContain('with other content');
});

test('a saved plan that others can change, or that is none, is refused', async () => {
  const played = await scene();
  const { file, words } = await saved(played, 'trust.json');
  await chmod(file, 0o666);
  expect((await cli(words)).stderr).toContain('E_FILE_UNTRUSTED');
  await chmod(file, 0o600);
  const text = await readFile(file, 'utf8');
  const wrong: [string, string][] = [
    ['{"kind": "Plan"}', 'apiVersion is missing'],
    ['kind: SavedPlan', 'it is not JSON'],
    [' '.repeat((1 << 20) + 1), 'is larger than 1048576 bytes'],
  ];
  for (const [content, what] of wrong) {
    await writeFile(file, content);
    const { code, stderr } = await cli(words);
    expect([code, stderr]).toEqual([2, expect.stringContaining(`cannot use ${file} as a saved plan`)]);
    expect(stderr).toContain(what);
  }
  await writeFile(file, text.replace(/"joinery": "[^"]*"/, '"joinery": "0.0.1"'));
  expect((await cli(words)).stderr).toMatch(/this is Joinery \S+, and the plan is of 0\.0\.1/);
});
