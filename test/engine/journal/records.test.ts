import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { StepChange } from '../../../engine/host/changes/index.ts';
import { historyOf } from '../../../engine/journal/history.ts';
import { LineWriter, readJournal } from '../../../engine/journal/journal-file.ts';
import type { Entry, JournalRecord } from '../../../engine/journal/records.ts';
import { withoutSecrets, withSecretsBack } from '../../../engine/journal/secrets.ts';
import { isJoinError, isSecret, revealSecrets, Secret } from '../../../engine/sdk/index.ts';
import schema from '../../../schemas/journal.schema.json' with { type: 'json' };
import { joinErrorOf } from '../../helpers/errors.ts';
import { START } from '../../helpers/journaled.ts';

const FILE = '/var/lib/joinery/runs/x/journal.jsonl';
const error = { code: 'E_FILE', message: 'no space', hint: 'df' };
const change = { kind: 'file', path: '/etc/a', action: 'create', mode: 0o600, content: 'ü\n"' } as const;
const entries: Entry[] = [
  { kind: 'start', ...START },
  { kind: 'begun', step: 'a', phase: 'p', attempt: 1, input: { token: { $secret: 'input.token' } } },
  { kind: 'once', step: 'a', name: 'key' },
  { kind: 'change', step: 'a', change, before: { kind: 'absent' }, after: 'd' },
  {
    kind: 'change',
    step: 'a',
    change: { kind: 'service', name: 'kubelet', action: 'start' },
    before: { kind: 'service', active: false, data: ['/x/*'], kept: [] },
  },
  { kind: 'done', step: 'a', status: 'failed', attempts: 1, durationMs: 5, error },
  { kind: 'finished', status: 'failed', error },
  { kind: 'resumed' },
  { kind: 'begun', step: 'a', phase: 'p', attempt: 1, input: {} },
  { kind: 'done', step: 'a', status: 'succeeded', attempts: 1, durationMs: 5, outputs: {} },
  { kind: 'finished', status: 'succeeded' },
  { kind: 'undone', change: 4 },
  { kind: 'undone', step: 'a' },
  { kind: 'finished', status: 'undone' },
];
const recordsOf = (some: readonly Entry[]): JournalRecord[] =>
  some.map((entry, index) => ({ seq: index + 1, at: '2026-11-24T10:00:00.000Z', ...entry }));
const written = (records: readonly JournalRecord[]): Buffer => {
  const writer = new LineWriter();
  return Buffer.from(records.map((record) => writer.line(record)).join(''));
};
const all = recordsOf(entries);
const bytes = written(all);

describe('a journal', () => {
  test('a journal is read as it was written, and every kind of record matches its schema', () => {
    const validate = new Ajv2020({
      strict: true,
      strictTypes: false,
      strictRequired: false,
      allowUnionTypes: true,
    }).compile(schema);
    for (const record of all) expect(validate(record), JSON.stringify(validate.errors)).toBe(true);
    const read = readJournal(FILE, bytes);
    expect(read.records).toEqual(all);
    expect(read.lengthBytes).toBe(bytes.length);
  });

  test('a journal that is cut anywhere loses only its torn last record', () => {
    for (let length = 0; length <= bytes.length; length++) {
      const read = readJournal(FILE, bytes.subarray(0, length));
      expect(read.records).toEqual(all.slice(0, read.records.length));
      const whole = bytes.subarray(0, length).lastIndexOf(0x0a) + 1;
      expect(read.lengthBytes, `cut at ${length}`).toBe(whole);
    }
  });

  test('a journal continues after a torn record as if it had never been written', () => {
    const torn = readJournal(FILE, bytes.subarray(0, bytes.length - 10));
    const [last] = all.slice(-1);
    if (last === undefined) throw new Error('there are records');
    const on = Buffer.concat([bytes.subarray(0, torn.lengthBytes), Buffer.from(new LineWriter(torn.sum).line(last))]);
    expect(readJournal(FILE, on).records).toEqual(all);
  });

  test('a journal with a flipped bit is damaged, and the error names the line, except in its last record', () => {
    const lastLine = bytes.lastIndexOf(0x0a, bytes.length - 2) + 1;
    fc.assert(
      fc.property(fc.nat(lastLine - 2), fc.nat(7), (at, bit) => {
        const broken = Buffer.from(bytes);
        broken[at] = (broken[at] ?? 0) ^ (1 << bit);
        const line = bytes.subarray(0, at).toString('latin1').split('\n').length;
        try {
          // The bit may add or remove a line break: the damage is then found in this line or in the next one.
          readJournal(FILE, broken);
          throw new Error('the damage is not found');
        } catch (error) {
          expect(error).toMatchObject({ code: 'E_JOURNAL_DAMAGED' });
          expect([line, line + 1]).toContain((error as { facts: { line: number } }).facts.line);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('a journal with removed or exchanged lines is damaged', async () => {
    const lines = bytes.toString().split(/(?<=\n)/);
    const without = [...lines.slice(0, 3), ...lines.slice(4)].join('');
    const exchanged = [lines[0], lines[2], lines[1], ...lines.slice(3)].join('');
    for (const text of [without, exchanged])
      expect(await joinErrorOf(() => readJournal(FILE, Buffer.from(text)))).toMatchObject({
        code: 'E_JOURNAL_DAMAGED',
      });
  });

  test.each(['add-learner', 'add-voter', 'promote', 'remove'] as const)(
    'a journal with the change %s of an etcd member is read',
    (action) => {
      const change = { kind: 'etcd-member', action, peerUrl: 'https://198.51.100.12:2380' } as const;
      const entry = { kind: 'change', step: 'a', change, before: { kind: 'phase' } } as const;
      expect(readJournal(FILE, written(recordsOf([entries[0] as Entry, entry]))).records[1]).toMatchObject({ change });
    },
  );

  test('a journal of an older version is read', () => {
    const older = written(recordsOf([{ ...entries[0], version: 1 } as Entry, { kind: 'resumed' }]));
    expect(readJournal(FILE, older).records).toHaveLength(2);
  });

  test('a journal with the old name of the change kind pod-sandbox is read as if it had the new name', () => {
    const change = { kind: 'sandbox', pod: 'default/web' } as unknown as StepChange;
    const older = written(
      recordsOf([entries[0] as Entry, { kind: 'change', step: 'a', change, before: { kind: 'none' } }]),
    );
    expect(readJournal(FILE, older).records[1]).toMatchObject({ change: { kind: 'pod-sandbox', pod: 'default/web' } });
  });

  test('a journal of a newer version is refused with E_JOURNAL_VERSION', async () => {
    const newer = written(recordsOf([{ ...entries[0], version: 4 } as Entry, { kind: 'resumed' }]));
    expect(await joinErrorOf(() => readJournal(FILE, newer))).toMatchObject({
      code: 'E_JOURNAL_VERSION',
      facts: { version: 4, known: 3 },
    });
  });

  test('a journal with any other content is refused with a hint, or is empty', () => {
    const record = fc.record({
      seq: fc.nat(3),
      at: fc.string(),
      kind: fc.constantFrom('start', 'change', 'undone', 'x'),
    });
    const chained = fc
      .array(
        fc.oneof(
          record,
          fc.json().map((text) => JSON.parse(text)),
        ),
        { maxLength: 4 },
      )
      .map((records) => {
        const writer = new LineWriter();
        return Buffer.from(records.map((one) => writer.line(one)).join(''));
      });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array().map((some) => Buffer.from(some)),
          chained,
        ),
        (some) => {
          try {
            for (const { seq } of readJournal(FILE, some).records) expect(seq).toBeGreaterThan(0);
          } catch (error) {
            expect(isJoinError(error), String(error)).toBe(true);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('the history of a run', () => {
  const until = (count: number) => historyOf(all.slice(0, count));

  test.each([
    ['interrupted', 'interrupted', 5],
    ['failed', 'failed', 7],
    ['interrupted', 'failed', 8],
    ['succeeded', 'succeeded', 11],
    ['undoing', 'undone', 12],
    ['undone', 'undone', 14],
  ])('the history of a run is %s, its step %s, after %i records', (status, step, count) => {
    const history = until(count);
    expect([history.status, history.steps.get('a')?.status]).toEqual([status, step]);
  });

  test('the history has the error of a run until the run is resumed', () => {
    expect([until(7).error, until(7).steps.get('a')?.error]).toEqual([error, error]);
    expect([until(11).error, until(11).steps.get('a')?.error]).toEqual([undefined, undefined]);
  });

  test('the history has each change, and whether it is undone', () => {
    expect(until(11).changes.map(({ seq, undone }) => [seq, undone])).toEqual([
      [4, false],
      [5, false],
    ]);
    expect(until(12).changes.map(({ undone }) => undone)).toEqual([true, false]);
  });
});

describe('secrets', () => {
  const secret = fc.stringMatching(/^[a-z]{8,12}$/).map((text) => new Secret(text));
  const plain = fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.constant(null));
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      plain,
      secret,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.stringMatching(/^[a-z/. ]{1,6}$/), tie('value'), { maxKeys: 3 }),
    ),
  }));

  test('secrets are replaced by names that are valid file names, and return to their places', () => {
    fc.assert(
      fc.property(value, (document) => {
        const kept = new Map<string, Secret>();
        const without = withoutSecrets(document, 'x', (name, found) => {
          kept.set(name, found);
          return name;
        });
        for (const [name, found] of kept) {
          expect(name).toMatch(/^[^/]+$/);
          expect(JSON.stringify(without)).not.toContain(`"${found.reveal()}"`);
        }
        const back = withSecretsBack(JSON.parse(JSON.stringify(without)), (name) => kept.get(name));
        expect([revealSecrets(back.value), back.missing]).toEqual([revealSecrets(document), []]);
      }),
    );
  });

  test('the names of lost secrets are reported', () => {
    const back = withSecretsBack({ a: { $secret: 'input.token' }, b: 1 }, () => undefined);
    expect(back).toEqual({ value: { a: undefined, b: 1 }, missing: ['input.token'] });
    expect(isSecret((back.value as { a: unknown }).a)).toBe(false);
  });
});
