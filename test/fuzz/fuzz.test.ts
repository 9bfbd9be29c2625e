/** The short run. The long one is `npm run fuzz`. */
import { existsSync, readdirSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { planted } from './planted.ts';
import { buildLoop, fuzz, KEPT, type Report } from './supervisor.ts';
import { targets } from './targets.ts';

const SEED = 20_260_304;
const EXECS = 64;
const HANG_MS = 700;
/** Where others use the machine; by itself, a few seconds. */
const MS_MAX = 300_000;

beforeAll(buildLoop);

describe('everything that reads text from outside', () => {
  let report: Report;
  beforeAll(async () => {
    report = await fuzz({ targets: Object.keys(targets), corpora: [KEPT], seed: SEED, execs: EXECS });
  }, MS_MAX);

  test.each(Object.keys(targets))(
    '%s neither breaks nor hangs, with what was ever found and with some that is new',
    (name) => {
      expect(report.findings.filter(({ target }) => target === name)).toEqual([]);
      expect(report.progress.get(name)?.execs).toBeGreaterThan(EXECS);
    },
  );

  test('has a corpus, and no corpus is left without a target', () => {
    expect(readdirSync(KEPT).sort()).toEqual(Object.keys(targets).sort());
  });
});

describe('the fuzzer', () => {
  const found = new Map<string, string>();
  beforeAll(async () => {
    const task = { corpora: [], seed: SEED };
    const brief = ['planted-hang', 'planted-sound'];
    const reports = await Promise.all([
      fuzz({ ...task, targets: brief, execs: EXECS, hangMs: HANG_MS }),
      fuzz({ ...task, targets: Object.keys(planted).filter((name) => !brief.includes(name)), execs: 20_000 }),
    ]);
    for (const { target, what, path } of reports.flatMap(({ findings }) => findings)) {
      expect(existsSync(path), path).toBe(true);
      found.set(target, what);
    }
  }, MS_MAX);

  test.each([
    ['planted-stranger', /^threw a stranger\nTypeError/], // behind four branches: it was led there by coverage
    ['planted-error', /^threw an Error that nobody turned into a JoinError/],
    ['planted-lines', /^threw an Error whose message is not one short line/],
    ['planted-hang', /^did not end within 700 ms/],
    ['planted-slow', /^took 1\d\d\d ms/],
    ['planted-memory', /^took \d\d\d MiB of memory/],
    ['planted-heap', /^needs more than 512 MiB of heap/],
    ['planted-recursion', /^threw a stranger\nRangeError/],
    ['planted-exit', /^ended the process \(SIGABRT\)/],
    ['planted-later', /^ended the process \(1\)\n[\s\S]*nobody waits for this/],
    ['planted-never', /^waits for something that nothing is left to bring/],
    ['planted-pollution', /^changed Object.prototype: polluted/],
    ['planted-escape', /^shows control characters/],
    ['planted-bug', /^threw an error that calls itself a bug/],
    ['planted-sound', undefined],
  ])('finds what is wrong with %s', (name, what) => {
    if (what === undefined) expect(found.get(name)).toBeUndefined();
    else expect(found.get(name)).toMatch(what);
  });

  test('is tried on every plant', () => {
    expect([...found.keys(), 'planted-sound'].sort()).toEqual(Object.keys(planted).sort());
  });
});
