/** Journals for tests: runs on a scratch disk, and any records that a journal may hold. */
import { join } from 'node:path';
import fc from 'fast-check';
import { onTestFinished } from 'vitest';
import type { Disk } from '../../engine/host/disk.ts';
import { MachineFiles } from '../../engine/host/files.ts';
import type { Journal } from '../../engine/journal/journal.ts';
import { LineWriter } from '../../engine/journal/journal-file.ts';
import type { Entry, JournalRecord } from '../../engine/journal/records.ts';
import { Runs } from '../../engine/journal/runs.ts';
import { codePoint } from './code-points.ts';
import { scratch } from './machine.ts';

export const BEGUN_AT = new Date('2026-03-04T05:06:07Z');

export const START = {
  joinery: '0.0.0',
  pipeline: 'made',
  source: { kind: 'pipeline', name: 'made', digest: 'made' },
  inputs: {},
  host: { name: 'w1', privileged: true, architecture: 'amd64', distribution: 'debian' },
  steps: ['a', 'b'],
} as const;

/** Journals of a test are closed with it. */
class ClosedRuns extends Runs {
  override begin(start: Parameters<Runs['begin']>[0]): Journal {
    return closed(super.begin(start));
  }
  override async open(id: string): Promise<Journal> {
    return closed(await super.open(id));
  }
}
const closed = (journal: Journal): Journal => {
  onTestFinished(() => journal.close());
  return journal;
};

/** The runs of a scratch machine; `journalFile` is where a run's journal lies on our own disk. */
export async function runsOnDisk(disk?: Disk, now: () => Date = () => BEGUN_AT) {
  const root = await scratch();
  const runs = new ClosedRuns(new MachineFiles(root, disk), now);
  const folderOf = (id: string) => join(root, 'var/lib/joinery/runs', id);
  return { root, runs, folderOf, journalFile: (id: string) => join(folderOf(id), 'journal.jsonl') };
}

/** Entries as a journal numbers and dates them. */
export const recordsOf = (entries: readonly Entry[]): JournalRecord[] =>
  entries.map((entry, index) => ({
    seq: index + 1,
    at: new Date(BEGUN_AT.getTime() + index * 1_000).toISOString(),
    ...entry,
  }));

export const linesOf = (records: readonly JournalRecord[], writer = new LineWriter()): Buffer =>
  Buffer.from(records.map((record) => writer.line(record)).join(''));

const text = fc.string({ unit: codePoint, maxLength: 12 });
const plain = fc.dictionary(text, fc.oneof(text, fc.integer(), fc.array(text, { maxLength: 2 })), { maxKeys: 3 });
const step = fc.constantFrom('a', 'b', 'c');
const path = fc.constantFrom('/etc/a', '/etc/b', '/var/lib/c');
const mode = fc.constantFrom(0o600, 0o644);

const anyStart: fc.Arbitrary<Entry> = fc
  .record({ inputs: plain, pipeline: text })
  .map((fields) => ({ ...START, kind: 'start', version: 1, id: '20260304-050607-0000', ...fields }));

const anyChange: fc.Arbitrary<Pick<Extract<Entry, { kind: 'change' }>, 'change' | 'before'>> = fc.oneof(
  fc.record({
    change: fc.record({
      kind: fc.constant('file' as const),
      path,
      action: fc.constant('create' as const),
      mode,
      content: text,
    }),
    before: fc.oneof(
      fc.constant({ kind: 'absent' as const }),
      fc.constant({ kind: 'earlier' as const }),
      fc.record({ kind: fc.constant('file' as const), mode, digest: text, image: fc.nat(9) }),
      fc.record({ kind: fc.constant('link' as const), target: text }),
    ),
  }),
  fc.record({
    change: fc.record({ kind: fc.constant('directory' as const), path, mode }),
    before: fc.constant({ kind: 'absent' as const }),
  }),
  fc.record({
    change: fc.constant({ kind: 'service' as const, name: 'kubelet', action: 'start' as const }),
    before: fc.record({
      kind: fc.constant('service' as const),
      active: fc.boolean(),
      data: fc.array(text, { maxLength: 2 }),
      kept: fc.array(text, { maxLength: 2 }),
    }),
  }),
);

const anyError = fc.record({ code: fc.constant('E_FILE'), message: text, hint: text });
const anyLater: fc.Arbitrary<Entry> = fc.oneof(
  fc.constant({ kind: 'resumed' as const }),
  fc.record({
    kind: fc.constant('begun' as const),
    step,
    phase: text,
    attempt: fc.integer({ min: 1, max: 5 }),
    input: plain,
  }),
  fc.record({ kind: fc.constant('once' as const), step, name: text }),
  fc
    .record({ step, change: anyChange })
    .map(({ change, ...rest }) => ({ kind: 'change' as const, ...rest, ...change })),
  fc.record(
    {
      kind: fc.constant('done' as const),
      step,
      status: fc.constantFrom('succeeded' as const, 'failed' as const, 'cancelled' as const),
      attempts: fc.nat(5),
      durationMs: fc.nat(1_000),
      outputs: plain,
      error: anyError,
    },
    { requiredKeys: ['kind', 'step', 'status', 'attempts', 'durationMs'] },
  ),
  fc.record({ kind: fc.constant('undone' as const), change: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ kind: fc.constant('undone' as const), step }),
  fc.record(
    {
      kind: fc.constant('finished' as const),
      status: fc.constantFrom('succeeded' as const, 'failed' as const, 'cancelled' as const, 'undone' as const),
      error: anyError,
    },
    { requiredKeys: ['kind', 'status'] },
  ),
);

/** What a journal may hold: its start, and then anything. */
export const anyRecords = (lengths: { minLength?: number } = {}): fc.Arbitrary<JournalRecord[]> =>
  fc
    .tuple(anyStart, fc.array(anyLater, { maxLength: 12, ...lengths }))
    .map(([start, later]) => recordsOf([start, ...later]));
