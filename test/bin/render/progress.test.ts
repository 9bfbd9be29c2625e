/** What the lines of a run repeat, and what they do not. */
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { progress } from '../../../bin/render/progress.ts';
import type { RunEvent } from '../../../engine/run/run.ts';

const ABOUT = { apiVersion: 'joinery.dev/v1', kind: 'Event', at: '2026-03-04T05:06:07Z', machine: 'w1' } as const;
const WARNING = { type: 'step.log', step: 'a', level: 'warn', text: 'csr-1 needs manual approval' } as const;
const CHANGE = { kind: 'api', verb: 'create', resource: 'certificatesigningrequests', name: 'csr-1', server: 's' };

test('a repeated warning appears once, and again after its step has changed something', async () => {
  const stream = new PassThrough();
  const view = await progress(stream as never, { hint: (text) => text });
  const started = (attempt: number) => ({ type: 'step.started', step: 'a', attempt, direction: 'run' });
  const change = { type: 'step.change', step: 'a', change: CHANGE };
  const events = [started(1), WARNING, started(2), WARNING, started(3), change, WARNING];
  for (const [index, event] of events.entries())
    view.onEvent({ ...ABOUT, seq: index + 1, run: 'r', pipeline: 'p', ...event } as RunEvent);
  view.end();
  expect(String(stream.read()).split(WARNING.text)).toHaveLength(3);
});

test('progress reports the error of a failure that the pipeline allows', async () => {
  const stream = new PassThrough();
  const view = await progress(stream as never, { hint: (text) => text });
  const error = { code: 'E_COMMAND_FAILED', message: 'modprobe exited with code 1', hint: 'x', exitCode: 6 };
  const ended = { type: 'step.ended', step: 'a', direction: 'run', attempts: 1, durationMs: 40 };
  for (const status of ['failed-allowed', 'failed'])
    view.onEvent({ ...ABOUT, seq: 1, run: 'r', pipeline: 'p', ...ended, status, error } as RunEvent);
  view.end();
  expect(String(stream.read())).toBe('! a (0.04 s): E_COMMAND_FAILED: modprobe exited with code 1\n✗ a (0.04 s)\n');
});
