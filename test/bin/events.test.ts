// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders look like JavaScript templates
/** The stream of events: `--output jsonl`. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { scratch } from '../helpers/machine.ts';
import { cli, obstruct, scene, start } from './cli.ts';
import { documentOf } from './documents.ts';

/** Each line is checked against the schema. */
const eventsOf = (stdout: string) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => documentOf('Event', line));

const BEGINNINGS = ['run.started', 'step.started', 'step.kept'];

test('join run --output jsonl prints each event as a line that matches the schema, and nothing else', {
  timeout: 60_000,
}, async () => {
  const { args, sandbox } = await scene();
  const { code, stdout, stderr } = await cli(args('run', '--output', 'jsonl'));
  expect([code, stderr]).toEqual([0, '']);
  const events = eventsOf(stdout);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
  expect(new Set(events.map(({ run }) => run)).size).toBe(1);
  expect(events[0]).toMatchObject({ type: 'run.started', dryRun: false, resumed: false, machine: 'w1' });
  expect(events.at(-1)).toMatchObject({
    type: 'run.ended',
    status: 'succeeded',
    changes: { made: 13, undone: 0, kept: 0 },
  });
  const of = (type: string) => events.filter((event) => event.type === type);
  expect(of('step.change')).toHaveLength(13);
  expect(of('step.wait').length).toBe(of('step.waited').length);
  expect(of('step.wait').map(({ step }) => step)).toContain('kubelet-start');
  expect(events.filter(({ assumed }) => assumed)).toEqual([]);
  expect(stdout).not.toContain(sandbox.token.split('.')[1]);
});

test('the events of a resumed run continue those of the run that failed', { timeout: 60_000 }, async () => {
  const { args, root } = await scene();
  const clear = await obstruct(root);
  const failed = await cli(args('run', '--ignore-preflight-errors=WritablePaths', '--output', 'jsonl'));
  expect(failed.code, failed.stderr).toBe(6);
  const first = eventsOf(failed.stdout);
  expect(first.at(-1)).toMatchObject({ type: 'run.ended', status: 'failed', error: { code: 'E_FILE', exitCode: 6 } });
  await clear();
  const second = eventsOf((await cli(['resume', '--output', 'jsonl', '--root', root])).stdout);
  expect(second[0]).toMatchObject({ type: 'run.started', resumed: true, run: first[0]?.run });
  expect(second.slice(1, 3).every(({ type }) => BEGINNINGS.includes(type))).toBe(true);
  expect(second.at(-1)).toMatchObject({ type: 'run.ended', status: 'succeeded' });
  const whole = [...first, ...second];
  expect(whole.map(({ seq }) => seq)).toEqual(whole.map((_, index) => index + 1));
});

test('an event of a dry run that rests on a stand-in says so, in JSON and in text', { timeout: 60_000 }, async () => {
  const { args } = await scene();
  const { stdout } = await cli(args('run', '--dry-run', '--output', 'jsonl'));
  const events = eventsOf(stdout);
  const texts = (isAssumed: boolean) =>
    events.flatMap((event) =>
      event.type === 'step.log' && (event.assumed ?? false) === isAssumed ? [event.text] : [],
    );
  expect(texts(true)).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/ is signed$/),
      'the kubelet is healthy',
      expect.stringMatching(/^Node w1 /),
    ]),
  );
  expect(texts(false)).toContain('the kubelet has version v1.36.2');
  const { stderr } = await cli(args('run', '--dry-run'));
  expect(stderr).toContain('kubelet-start: (assumed) the kubelet is healthy\n');
  expect(stderr).not.toMatch(/waiting for/);
});

const APPROVAL = [
  'apiVersion: joinery.dev/v1',
  'kind: Pipeline',
  'metadata: { name: asks }',
  'steps:',
  '  - { id: motd, uses: file, with: { path: /etc/motd, content: hello } }',
  '  - { id: ask, approval: { message: "Continue?", deadline: 1h } }',
  'outputs: { said: "${{ steps.ask.outputs.reason }}" }',
].join('\n');

const FAILS = [
  'apiVersion: joinery.dev/v1',
  'kind: Pipeline',
  'metadata: { name: fails }',
  'steps:',
  '  - { id: closed, uses: assert, with: { that: "${{ false }}", message: the window is closed } }',
].join('\n');

test('a detached run that fails before it changes anything leaves its events until the next run', {
  timeout: 60_000,
}, async () => {
  const root = await scratch();
  const file = join(root, 'fails.yaml');
  await writeFile(file, FAILS);
  const detach = ['run', '--pipeline', file, '--root', root, '--detach', '--output', 'jsonl'];
  const [started] = eventsOf((await start(detach).outcome).stdout);
  const run = String(started?.run);
  await vi.waitFor(async () => {
    const { code, stdout, stderr } = await cli(['attach', run, '--output', 'jsonl', '--root', root]);
    expect([code, stderr]).toEqual([4, expect.stringContaining('E_ASSERT: the window is closed')]);
    expect(eventsOf(stdout).at(-1)).toMatchObject({ type: 'run.ended', run, error: { code: 'E_ASSERT' } });
  }, 20_000);
  expect((await cli(['runs', '--root', root])).stdout).toBe('No run is recorded on this machine.\n');

  expect((await cli(['run', '--pipeline', file, '--root', root])).code).toBe(4);
  expect((await cli(['attach', run, '--root', root])).stderr).toContain('E_RUN_UNKNOWN');
  expect(await readdir(join(root, 'var/lib'))).toEqual([]);
});

test('a detached run does not need its caller, and join attach prints all of its events', {
  timeout: 60_000,
}, async () => {
  const root = await scratch();
  const file = join(root, 'asks.yaml');
  await writeFile(file, APPROVAL);
  await mkdir(join(root, 'etc'));
  const begun = await start(['run', '--pipeline', file, '--root', root, '--detach']).outcome;
  const [, id = '', pid] = /^Run (\S+) continues in the background \(pid (\d+)\)/.exec(begun.stdout) ?? [];
  expect([begun.code, begun.stderr]).toEqual([0, '']);
  const sessionOf = async (process: string) => (await readFile(`/proc/${process}/stat`, 'utf8')).split(' ')[5];
  expect(await sessionOf(pid ?? '')).not.toBe(await sessionOf('self'));

  const attached = start(['attach', '--output', 'jsonl', '--root', root]);
  await vi.waitFor(async () => {
    const { code } = await cli(['approve', id, 'ask', '--reason', 'change 4711', '--root', root]);
    expect(code).toBe(0);
  }, 20_000);
  const all = eventsOf((await attached.outcome).stdout);
  expect(all.map(({ seq }) => seq)).toEqual(all.map((_, index) => index + 1));
  expect(all.filter(({ type }) => /^(run|step\.a)/.test(type)).map(({ type }) => type)).toEqual([
    'run.started',
    'step.asked',
    'step.answered',
    'run.ended',
  ]);
  const again = await cli(['attach', id, '--from', '3', '--output', 'jsonl', '--root', root]);
  expect(eventsOf(again.stdout)).toEqual(all.slice(2));
  const text = await cli(['attach', id, '--root', root]);
  expect(text).toMatchObject({ code: 0, stderr: expect.stringContaining('✓ motd') });
  expect(text.stdout).toMatch(/^asks succeeded in [\d.]+ s: 1 change\.\n$/);
});
