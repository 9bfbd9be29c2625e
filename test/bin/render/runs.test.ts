/** How `join runs` and `join runs show` tell how long a run took, and what a run in progress is doing. */
import { expect, test, vi } from 'vitest';
import { runDetailsDocument, runsText, runText } from '../../../bin/render/runs.ts';
import { historyOf } from '../../../engine/journal/history.ts';
import type { Entry, JournalRecord } from '../../../engine/journal/records.ts';
import { START } from '../../helpers/journals.ts';

const ID = '20261201-100000-2bab';
const start: Entry = { kind: 'start', version: 3, id: ID, ...START };
const failed = { kind: 'finished', status: 'failed' } as const;
const begun = { kind: 'begun', step: 'a', phase: 'file', attempt: 1, input: {} } as const;
const secondsIn = (text: string) => /duration ([\d.]+) s/.exec(text)?.[1];

/** Each record with the time of day at which it was written. */
const historyAt = (...records: readonly [time: string, entry: Entry][]) =>
  historyOf(
    records.map(([time, entry], index): JournalRecord => ({ seq: index + 1, at: `2026-12-01T${time}Z`, ...entry })),
  );

test('the duration of a resumed run does not include the time in which nothing worked on it', () => {
  const history = historyAt(
    ['10:00:00', start],
    ['10:01:00', failed],
    ['15:00:00', { kind: 'resumed' }],
    ['15:02:00', { kind: 'finished', status: 'succeeded' }],
  );
  expect(secondsIn(runText(history, undefined))).toBe('180');
});

test('the duration of an undone run includes that of the undo, but not the days before it', () => {
  const history = historyAt(
    ['10:00:00', start],
    ['10:00:20', { kind: 'finished', status: 'succeeded' }],
    ['22:00:00', { kind: 'undoing', step: 'a' }],
    ['22:00:10', { kind: 'finished', status: 'undone' }],
  );
  expect(secondsIn(runText(history, undefined))).toBe('30');
});

test('a run in progress lasts until now, and its step is running, without a duration', () => {
  vi.useFakeTimers({ now: new Date('2026-12-01T10:01:30Z'), toFake: ['Date'] });
  try {
    const history = historyAt(['10:00:00', start], ['10:00:01', begun]);
    const holder = { run: ID, pid: 7 };
    expect(secondsIn(runText(history, holder))).toBe('90');
    expect(runsText([{ id: ID, history }], holder)).toContain('running (pid 7)  90 s');
    expect(runText(history, holder)).toMatch(/^… a \(file\): running$/m);
    expect(runDetailsDocument(history, holder)).toMatchObject({ durationMs: 90_000, steps: [{ status: 'running' }] });
  } finally {
    vi.useRealTimers();
  }
});

test('a step that was interrupted has no duration', () => {
  const history = historyAt(['10:00:00', start], ['10:00:01', begun]);
  expect(runText(history, undefined)).toMatch(/^… a \(file\): interrupted$/m);
  expect(Object.keys((runDetailsDocument(history, undefined) as { steps: object[] }).steps[0] ?? {})).not.toContain(
    'durationMs',
  );
});
