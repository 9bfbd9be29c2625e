/** Whatever a run can write to its journal, a later process can read back. What would not fit is refused before it. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { realHost } from '../../engine/host/real.ts';
import type { Journal } from '../../engine/journal/journal.ts';
import type { Runs } from '../../engine/journal/runs.ts';
import { kubeAccess } from '../../engine/kube/access.ts';
import { JSON_GROWTH_MAX, LIMITS } from '../../engine/limits/sizes.ts';
import { run } from '../../engine/run/run.ts';
import { isJoinError, Secret, writes } from '../../engine/sdk/index.ts';
import { joinErrorOf } from '../helpers/errors.ts';
import { runsOnDisk, START } from '../helpers/journals.ts';
import { planOfSteps } from '../helpers/plans.ts';

const OUTCOME = { status: 'succeeded', attempts: 1, durationMs: 1 } as const;
const NONE = async () => ({ before: { kind: 'none' as const } });
const change = (content: string) => ({ kind: 'file', path: '/etc/a', action: 'create', mode: 0o600, content }) as const;
/** Texts that JSON writes with one to six bytes for each of their bytes. */
const UNITS = ['x', '"', '\n', '\u0001', '\ud800', 'ü', '😀'];

/** The way a text gets into a record, for each kind of record that holds a text. */
const KINDS: Record<string, (journal: Journal, text: string) => unknown> = {
  begun: (journal, text) => journal.begun('a', 'p', 1, { text }),
  once: (journal, text) => journal.once('a', text, () => 'random'),
  done: (journal, text) => {
    journal.reserveEnd('a', { text });
    return journal.done('a', { ...OUTCOME, outputs: { text } });
  },
  'done, with an error': (journal, text) =>
    journal.done('a', { ...OUTCOME, status: 'failed', error: { code: 'E_FILE', message: text, hint: text } }),
  'change, in its content': (journal, text) => journal.change('a', change(text), NONE),
  'change, in its subject': (journal, text) => journal.change('a', { ...change(''), path: `/${text}` }, NONE),
  asked: (journal, text) => journal.asked('a', text, new Date(0)),
  finished: (journal, text) =>
    journal.finished({ status: 'failed', error: { code: 'E_FILE', message: text, hint: text } }),
};

/** Reads each run in a process of its own: the number of its records, or the error. */
async function readBack(root: string): Promise<Record<string, number | string>> {
  const script = join(root, 'reader.mjs');
  const at = (path: string) => new URL(`../../engine/${path}`, import.meta.url).href;
  await writeFile(
    script,
    `import { Runs } from '${at('journal/runs.ts')}';
import { MachineFiles } from '${at('host/files.ts')}';
const runs = new Runs(new MachineFiles('${root}'));
const read = {};
for (const id of await runs.ids())
  read[id] = await runs.open(id).then((journal) => journal.history().changes.length, (error) => String(error));
process.send(read);`,
  );
  const child = fork(script, { execArgv: ['--import', 'tsx'] });
  const [read] = await once(child, 'message');
  return read as Record<string, number | string>;
}

const begun = (runs: Runs, inputs: object = {}): Journal => runs.begin({ ...START, inputs });
const repeated = (unit: string, bytes: number) => unit.repeat(Math.max(1, Math.floor(bytes / unit.length)));
/** What JSON makes of a text, at the most. */
const grown = (unit: string): number => (JSON.stringify(unit).length - 2) / unit.length;

describe('a record that a run can write', () => {
  test('a record is read back in a fresh process at every length up to the limit, and refused beyond it', async () => {
    const { root, runs } = await runsOnDisk();
    const expected: Record<string, number> = {};
    const lengths = fc.oneof(
      fc.constantFrom(0, 1, 100).map((less) => LIMITS.record - 400 - less),
      fc.constantFrom(LIMITS.record + 1, LIMITS.recordedContent, LIMITS.recordedError, LIMITS.webAnswer),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.keys(KINDS)),
        fc.constantFrom(...UNITS),
        lengths,
        async (kind, unit, bytes) => {
          const journal = begun(runs);
          const text = repeated(unit, bytes / grown(unit));
          try {
            await KINDS[kind]?.(journal, text);
          } catch (error) {
            // Refused: the journal is as if nothing had been tried.
            expect(isJoinError(error) && error.code, String(error)).toBe('E_JOURNAL_LIMIT');
          }
          await journal.change('a', change('after'), NONE);
          await journal.finished({ status: 'succeeded' });
          expected[journal.id] = journal.history().changes.length;
          await journal.close();
        },
      ),
      { numRuns: 30 },
    );
    expect(await readBack(root)).toEqual(expected);
  }, 120_000);

  test('a step never ends without its record, however long the error is', async () => {
    const { runs } = await runsOnDisk();
    const journal = begun(runs);
    await journal.change('a', change('x'), NONE);
    const message = '\u0001'.repeat(2 << 20);
    await journal.done('a', { ...OUTCOME, status: 'failed', error: { code: 'E_FILE', message, hint: message } });
    await journal.finished({ status: 'failed', error: { code: 'E_FILE', message, hint: '' } });
    const { error } = await runs.history(journal.id);
    expect(error?.message.length).toBeLessThan(LIMITS.recordedError);
    expect(error?.message).toMatch(/^\u0001+ …$/);
  });

  test('a record of a journal can hold the longest answer of a request, whatever its characters are', () => {
    expect(LIMITS.webAnswer * JSON_GROWTH_MAX + LIMITS.text).toBeLessThan(LIMITS.record);
  });
});

describe('a run that would not fit into its journal', () => {
  test('a run is refused at its start if its inputs are too long for its journal', async () => {
    const { root, runs } = await runsOnDisk();
    const error = await joinErrorOf(() => begun(runs, { text: '\u0001'.repeat(LIMITS.text * 2) }));
    expect(error).toMatchObject({ code: 'E_JOURNAL_LIMIT' });
    expect(await readdir(root)).toEqual([]);
  });

  test.each([
    ['the value', { token: new Secret('x'.repeat(LIMITS.file + 1)) }],
    ['the name', { ['x'.repeat(250)]: new Secret('abcdefgh') }],
  ])('a run is refused at its start if %s of a secret is too long for a file', async (_, inputs) => {
    const { runs } = await runsOnDisk();
    expect(await joinErrorOf(() => begun(runs, inputs))).toMatchObject({ code: 'E_JOURNAL_LIMIT' });
  });

  test('a run stops before the change that would not fit into its journal, and can still be undone', async () => {
    const { runs, journalFile } = await runsOnDisk();
    const journal = begun(runs);
    await journal.change('a', change('x'), NONE);
    const fill = (length: number) =>
      joinErrorOf(() => {
        for (;;) journal.begun('b', 'p', 1, { text: 'x'.repeat(length) });
      });
    for (const length of [LIMITS.record - 1_000, 100_000, 1_000])
      expect(await fill(length)).toMatchObject({ code: 'E_JOURNAL_LIMIT' });
    const refused = await joinErrorOf(() => journal.change('b', change('x'.repeat(1_000)), NONE));
    expect(refused).toMatchObject({ code: 'E_JOURNAL_LIMIT' });
    const message = 'x'.repeat(LIMITS.record);
    await journal.done('b', { ...OUTCOME, status: 'failed', error: { code: 'E_FILE', message, hint: message } });
    await journal.undone({ change: 2 });
    await journal.finished({ status: 'undone' });
    expect((await stat(journalFile(journal.id))).size).toBeLessThan(LIMITS.journal);
    expect((await runs.history(journal.id)).status).toBe('undone');
  }, 60_000);

  test('a run stops before the change that would be one too many for its journal', async () => {
    const { runs } = await runsOnDisk();
    const journal = begun(runs);
    const error = await joinErrorOf(() => {
      for (let attempt = 1; attempt <= LIMITS.journalRecords; attempt++) journal.begun('a', 'p', attempt, {});
    });
    expect(error).toMatchObject({ code: 'E_JOURNAL_LIMIT' });
    expect(await joinErrorOf(() => journal.change('a', change('x'), NONE))).toMatchObject({ code: 'E_JOURNAL_LIMIT' });
  });

  test('a run fails in the step whose outputs are too long, with all its changes on record', async () => {
    const { root, runs } = await runsOnDisk();
    const host = await realHost(root, { access: kubeAccess });
    const journal = begun(runs);
    const output = { type: 'object', properties: { text: { type: 'string' } } } as const;
    const plan = planOfSteps({
      id: 'a',
      effects: [writes('/etc/*', undefined, 'x')],
      output,
      run: async ({ files }) => {
        await files.write('/etc/a', 'x', 0o644);
        return { text: '\u0001'.repeat(2 << 20) };
      },
    });
    const result = await run({ plan, host, journal });
    await host.close();
    expect(result).toMatchObject({ status: 'failed', error: { code: 'E_JOURNAL_LIMIT', step: 'a' } });
    const { changes, steps } = await runs.history(journal.id);
    expect([changes.at(-1)?.change, steps.get('a')?.status]).toMatchObject([{ path: '/etc/a' }, 'failed']);
  });

  test('the journal of a run does not grow with every undo that is tried again', async () => {
    const { runs, journalFile } = await runsOnDisk();
    const journal = begun(runs);
    journal.begun('a', 'p', 1, {});
    await journal.change('a', change('x'), NONE);
    await journal.undoing('a');
    await journal.undone({ step: 'a' });
    const { size } = await stat(journalFile(journal.id));
    for (let tried = 0; tried < 5; tried++) {
      await journal.undoing('a');
      await journal.undone({ step: 'a' });
    }
    expect((await stat(journalFile(journal.id))).size).toBe(size);
  });
});
