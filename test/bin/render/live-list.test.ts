/** The list of steps at a terminal that is too narrow for it. */
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { liveList } from '../../../bin/render/live-list.ts';
import type { RunEvent } from '../../../engine/run/run.ts';

const ABOUT = { apiVersion: 'joinery.dev/v1', kind: 'Event', at: '2026-03-04T05:06:07Z', machine: 'w1' } as const;
const LONG = 'a note with 漢字 that is much longer than the terminal is wide';

test('a line is cut with an ellipsis at the width of the terminal, and is whole at the end', () => {
  const stream = Object.assign(new PassThrough(), { columns: 40, rows: 24, isTTY: true, hasColors: () => false });
  const list = liveList(stream as never, (hint) => hint);
  const events = [
    { type: 'run.started', direction: 'run', dryRun: false, resumed: false, steps: ['a'] },
    { type: 'step.started', step: 'a', attempt: 1, direction: 'run' },
    { type: 'step.log', step: 'a', level: 'info', text: LONG },
  ] as const;
  for (const [index, event] of events.entries())
    list.onEvent({ ...ABOUT, seq: index + 1, run: 'r', pipeline: 'p', ...event } as RunEvent);
  const drawn = String(stream.read());
  expect(drawn).toMatch(/a note with 漢字 that.*…/);
  expect(drawn).not.toContain(LONG);
  list.end();
  expect(String(stream.read())).toContain(`${LONG}\n`);
});

test('in a dry run, a note that rests on a stand-in says so, and nothing is waited for', () => {
  const stream = Object.assign(new PassThrough(), { columns: 90, rows: 24, isTTY: true, hasColors: () => false });
  const list = liveList(stream as never, (hint) => hint);
  const events = [
    { type: 'run.started', direction: 'run', dryRun: true, resumed: false, steps: ['a', 'b'] },
    { type: 'step.started', step: 'a', attempt: 1, direction: 'run' },
    { type: 'step.wait', step: 'a', what: 'the kubelet', waitedMs: 0, until: '2026-03-04T05:07:07Z', assumed: true },
    { type: 'step.log', step: 'a', level: 'info', text: 'the kubelet is healthy', assumed: true },
    { type: 'step.log', step: 'b', level: 'info', text: 'the version is 1' },
  ] as const;
  for (const [index, event] of events.entries())
    list.onEvent({ ...ABOUT, seq: index + 1, run: 'dry-run', pipeline: 'p', ...event } as RunEvent);
  list.end();
  const drawn = String(stream.read());
  expect(drawn).not.toContain('waiting for');
  expect(drawn).not.toMatch(/s {2}the kubelet is healthy/);
  expect(drawn).toContain('(assumed) the kubelet is healthy');
  expect(drawn).toMatch(/b +the version is 1/);
});
