/** The stream of events: `--output jsonl`. */
import { expect, test } from 'vitest';
import { cli, scene } from './cli.ts';
import { documentOf } from './documents.ts';

/** Each line is checked against the schema. */
const eventsOf = (stdout: string) =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => documentOf('Event', line));

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
  expect(events.at(-1)).toMatchObject({ type: 'run.ended', status: 'succeeded', changes: 13, undone: 0 });
  const of = (type: string) => events.filter((event) => event.type === type);
  expect(of('step.change')).toHaveLength(13);
  expect(of('step.wait').length).toBe(of('step.waited').length);
  expect(of('step.wait').map(({ step }) => step)).toContain('kubelet-start');
  expect(events.filter(({ assumed }) => assumed)).toEqual([]);
  expect(stdout).not.toContain(sandbox.token.split('.')[1]);
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
