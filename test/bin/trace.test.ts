/** `join run --trace`: when each step ran. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Trace } from '../../bin/render/trace.ts';
import type { EventBody } from '../../engine/run/events.ts';
import { cli } from './cli.ts';

const SHARED = {
  apiVersion: 'joinery.dev/v1',
  kind: 'Event',
  seq: 1,
  at: '2026-03-04T05:06:07Z',
  run: 'r',
  machine: 'm',
  pipeline: 'p',
} as const;
const ERROR = { code: 'E_HTTP', message: 'refused', hint: '', exitCode: 1 };

test('a trace has a row for each step, with its attempts, waits and messages in microseconds', () => {
  let nowMs = 40;
  const trace = new Trace(['a', 'b'], () => nowMs++);
  const bodies: EventBody[] = [
    { type: 'step.started', step: 'b', attempt: 1, direction: 'run' },
    { type: 'step.waited', step: 'b', what: 'the port', waitedMs: 0.5 },
    { type: 'step.retrying', step: 'b', attempt: 1, pauseMs: 5, error: ERROR },
    { type: 'step.started', step: 'b', attempt: 2, direction: 'run' },
    { type: 'step.log', step: 'b', level: 'info', text: 'it answers' },
    { type: 'step.ended', step: 'b', direction: 'run', status: 'succeeded', attempts: 2, durationMs: 2 },
    { type: 'step.ended', step: 'a', direction: 'run', status: 'skipped', attempts: 0, durationMs: 0 },
  ];
  for (const body of bodies) trace.onEvent({ ...SHARED, ...body });
  const row = { pid: 1, tid: 2 };
  expect(JSON.parse(trace.text()).traceEvents).toEqual([
    { name: 'thread_name', ph: 'M', ts: 0, pid: 1, tid: 0, args: { name: 'process' } },
    { name: 'thread_name', ph: 'M', ts: 0, pid: 1, tid: 1, args: { name: 'a' } },
    { name: 'thread_name', ph: 'M', ts: 0, ...row, args: { name: 'b' } },
    { name: 'start-up', ph: 'X', ts: 0, dur: 40_000, pid: 1, tid: 0 },
    { name: 'waits for the port', ph: 'X', ts: 41_500, dur: 500, ...row },
    { name: 'b', ph: 'X', ts: 41_000, dur: 2000, ...row, args: { attempt: 1, status: 'failed' } },
    { name: 'it answers', ph: 'i', ts: 45_000, ...row, s: 't' },
    { name: 'b', ph: 'X', ts: 44_000, dur: 2000, ...row, args: { attempt: 2, status: 'succeeded' } },
  ]);
});

async function workshop(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'join-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const pipeline = `apiVersion: joinery.dev/v1
kind: Pipeline
metadata: { name: greet }
inputs: { type: object, properties: { text: { type: string, writeOnly: true } } }
steps:
  - { id: motd, uses: file, with: { path: /motd, secretContent: "\${{ inputs.text }}", mode: "0600" } }
`;
  await writeFile(join(folder, 'greet.yaml'), pipeline);
  return folder;
}

test('join run --trace writes a file that only its owner can read, without secrets', async () => {
  const folder = await workshop();
  const file = join(folder, 'trace.json');
  const own = ['--pipeline', join(folder, 'greet.yaml'), '--root', folder];
  const { code } = await cli(['run', ...own, '--text', 'hidden-text', '--trace', file]);
  expect(code).toBe(0);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const text = await readFile(file, 'utf8');
  expect(text).not.toContain('hidden-text');
  const { traceEvents } = JSON.parse(text) as { traceEvents: { name: string; args?: { status?: string } }[] };
  expect(traceEvents.find(({ name, args }) => name === 'motd' && args?.status === 'succeeded')).toBeDefined();
});

test('join run --trace refuses a file that cannot be written before it records a run', async () => {
  const folder = await workshop();
  const own = ['--pipeline', join(folder, 'greet.yaml'), '--root', folder];
  const { code, stderr } = await cli(['run', ...own, '--text', 'x', '--trace', join(folder, 'missing/trace.json')]);
  expect(stderr).toContain(`--trace: cannot write ${join(folder, 'missing/trace.json')}: does not exist`);
  expect(code).toBe(2);
  expect((await cli(['runs', '--root', folder])).stdout).not.toContain('greet');
});
