/** What the page displays of events, and reports as files. */
import { createHash } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { packageAssets } from '../../../bin/assets.ts';
import { rolloutReport, runReport } from '../../../bin/fleet/reports.ts';
import { runView } from '../../../bin/fleet/run-view.ts';
import type { Report } from '../../../bin/fleet/view.ts';
import type { RunEvent } from '../../../engine/sdk/index.ts';
import { MemoryBoard } from '../../helpers/fleet-board.ts';
import { PROJECT } from '../../helpers/sources.ts';
import { cli, scene } from '../cli.ts';

const assets = packageAssets(PROJECT);
const reportOf = (board: MemoryBoard) => rolloutReport(board.status(), ({ name }) => board.eventsOf(name), assets);
const dataOf = (html: string): Report =>
  JSON.parse(/<script type="application\/json" id="report">([\s\S]*?)<\/script>/.exec(html)?.[1] ?? '');

const event = (seq: number, body: object): RunEvent =>
  ({
    apiVersion: 'joinery.dev/v1',
    kind: 'Event',
    seq,
    at: new Date(Date.UTC(2026, 10, 24, 10, 0, seq)).toISOString(),
    run: 'r1',
    machine: 'node-1',
    pipeline: 'join-worker',
    ...body,
  }) as RunEvent;
const started = event(1, { type: 'run.started', direction: 'run', dryRun: false, resumed: false, steps: ['a', 'b'] });
const stepStarted = event(2, { type: 'step.started', step: 'a', attempt: 1, direction: 'run' });
const ended = { type: 'step.ended', step: 'a', direction: 'run', attempts: 1, durationMs: 1 };
const error = { code: 'E_X', message: 'it broke', hint: 'fix it', exitCode: 1 };

describe('a run as the page displays it', () => {
  test('a run without events has no view', () => {
    expect(runView([])).toBeUndefined();
  });

  test('a step that has not started waits, and one that has started is running', () => {
    const view = runView([started, stepStarted]);
    expect(view?.steps.map(({ id, state }) => [id, state])).toEqual([
      ['a', 'running'],
      ['b', 'waiting'],
    ]);
  });

  test('a step that waits for an approval says what it asks, until it is answered', () => {
    const asked = event(3, {
      type: 'step.asked',
      step: 'a',
      message: 'Ready?',
      until: '2026-11-24T11:00:00Z',
      path: '/x',
    });
    const answered = event(4, {
      type: 'step.answered',
      step: 'a',
      decision: 'approved',
      by: 'u',
      reason: '',
      via: 'file',
    });
    expect(runView([started, stepStarted, asked])?.steps[0]).toMatchObject({ state: 'asking', detail: 'Ready?' });
    const after = runView([started, stepStarted, asked, answered])?.steps[0];
    expect(after).toMatchObject({ state: 'running' });
    expect(after).not.toHaveProperty('detail');
  });

  test('a failed step has its error, which its next attempt removes', () => {
    const failed = event(3, { ...ended, status: 'failed', error });
    expect(runView([started, stepStarted, failed])?.steps[0]).toMatchObject({
      state: 'failed',
      error: { code: 'E_X' },
    });
    const again = event(4, { type: 'step.started', step: 'a', attempt: 2, direction: 'run' });
    const step = runView([started, stepStarted, failed, again])?.steps[0];
    expect(step).toMatchObject({ state: 'running', attempts: 2 });
    expect(step).not.toHaveProperty('error');
  });

  test('an undo that has succeeded makes the run undone', () => {
    const undo = event(4, { ...started, seq: 4, direction: 'undo' });
    const end = event(5, {
      type: 'run.ended',
      status: 'succeeded',
      durationMs: 1,
      changes: { made: 1, undone: 1, kept: 0 },
    });
    expect(runView([started, stepStarted, undo, end])?.state).toBe('undone');
  });

  test('the page displays that a file was written, but neither its content nor the outputs of a step', () => {
    const change = { kind: 'file', action: 'create', path: '/etc/motd', mode: 0o644, content: 'CONTENT' };
    const changed = event(3, { type: 'step.change', step: 'a', change });
    const succeeded = event(4, { ...ended, status: 'succeeded', outputs: { text: 'OUTPUT' } });
    const view = runView([started, stepStarted, changed, succeeded]);
    expect(view?.steps[0]?.changes).toEqual(['create /etc/motd (0644)']);
    expect(JSON.stringify(view)).not.toMatch(/CONTENT|OUTPUT/);
  });

  test('a change of a kind that this Joinery does not have is displayed by its kind', () => {
    const changed = event(3, { type: 'step.change', step: 'a', change: { kind: 'teleport' } });
    expect(runView([started, stepStarted, changed])?.steps[0]?.changes).toEqual(['teleport']);
  });

  test('of a long log, the page has the last 500 lines and the number of the others', () => {
    const lines = Array.from({ length: 600 }, (_, index) =>
      event(index + 3, { type: 'step.log', step: 'a', level: 'info', text: `line ${index}` }),
    );
    const view = runView([started, stepStarted, ...lines]);
    expect([view?.lines.length, view?.omitted, view?.lines.at(-1)?.text]).toEqual([500, 102, 'line 599']);
  });
});

describe('a report as one file', () => {
  const hostile = [
    started,
    stepStarted,
    event(3, { type: 'step.log', step: 'a', level: 'warn', text: '</script><script>alert(1)</script><!-- <b>' }),
  ];

  test('a report holds what a hostile machine has written as data, never as HTML', () => {
    const html = runReport(hostile, assets, (text) => text) ?? '';
    expect(html.match(/<script/g)).toHaveLength(2);
    expect(html).not.toContain('<script>alert');
    expect(dataOf(html)).toMatchObject({
      run: { lines: expect.arrayContaining([expect.objectContaining({ text: expect.stringContaining('</script>') })]) },
    });
  });

  test('the title of a report is a text, whatever the name of the fleet', () => {
    const board = new MemoryBoard(2);
    board.change({ fleet: '</title><script>alert(1)</script>' });
    expect(reportOf(board)).toContain('<title>&lt;/title>&lt;script>alert(1)&lt;/script>');
  });

  test('the policy of a report allows its own script and style by their digests, and nothing else', () => {
    const html = reportOf(new MemoryBoard(20));
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)?.[1] ?? '';
    const digest = (text = '') => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
    expect(policy).toContain("default-src 'none'; script-src 'sha256-");
    expect(policy).toContain(digest(/<script>([\s\S]*)<\/script>/.exec(html)?.[1]));
    expect(policy).toContain(digest(/<style>([\s\S]*)<\/style>/.exec(html)?.[1]));
    expect(policy).not.toMatch(/unsafe|http|\*|self/);
  });

  test('a report of a rollout has all hosts, and the runs of those that failed', () => {
    const board = new MemoryBoard(200);
    const report = dataOf(reportOf(board));
    if (report.kind !== 'rollout') throw new Error('not a rollout');
    const failed = board.status().hosts.filter(({ state }) => state === 'failed');
    expect(failed.length).toBeGreaterThan(2);
    expect(report.status.hosts).toHaveLength(200);
    expect(Object.keys(report.runs)).toEqual(failed.map(({ name }) => name));
  });

  test('a run without events has no report', () => {
    expect(runReport([], assets, (text) => text)).toBeUndefined();
  });
});

describe('join runs show --output html', () => {
  test('the page of a run has its steps and its log, and no secret', async () => {
    const { args, root, sandbox } = await scene();
    expect((await cli(args('run'))).code).toBe(0);
    const { stdout, code } = await cli(['runs', 'show', '--root', root, '-o', 'html']);
    expect(code).toBe(0);
    const report = dataOf(stdout);
    if (report.kind !== 'run') throw new Error('not a run');
    expect(report.run.state).toBe('succeeded');
    expect(report.run.steps.map(({ id }) => id)).toEqual(expect.arrayContaining(['preflight', 'tls-bootstrap']));
    expect(report.run.lines.length).toBeGreaterThan(10);
    expect(stdout).not.toContain(sandbox.token.split('.')[1]);
    expect(stdout).not.toMatch(/BEGIN [A-Z ]*PRIVATE KEY/);
  });

  test('a run without a log of its events has no page, and the error says which command works', async () => {
    const { args, root } = await scene();
    await cli(args('run'));
    const folder = join(root, 'var/lib/joinery/runs');
    const [run = ''] = await readdir(folder);
    await rm(join(folder, run, 'events.jsonl'));
    const { stdout, stderr, code } = await cli(['runs', 'show', '--root', root, '-o', 'html']);
    expect([stdout, code]).toEqual(['', 2]);
    expect(stderr).toContain('E_RUN_EVENTS');
    expect(stderr).toContain(`runs show ${run}`);
  });
});
