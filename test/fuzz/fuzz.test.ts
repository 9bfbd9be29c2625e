/** The short run of the fuzzer. The long run is `npm run fuzz`. */
import { existsSync, readdirSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { planted } from './planted.ts';
import { buildLoop, fuzz, KEPT, type Report } from './supervisor.ts';
import { targets } from './targets.ts';

const SEED = 20_260_304;
const EXECS = 64;
const HANG_MS = 700;
/** The limit on a busy machine. An idle machine needs a few seconds. */
const MS_MAX = 300_000;

beforeAll(buildLoop);

describe('code that reads text from outside', () => {
  let report: Report;
  beforeAll(async () => {
    report = await fuzz({ targets: Object.keys(targets), corpora: [KEPT], seed: SEED, execs: EXECS });
  }, MS_MAX);

  test.each(Object.keys(targets))('the target %s neither fails nor hangs, on its corpus and on new inputs', (name) => {
    expect(report.findings.filter(({ target }) => target === name)).toEqual([]);
    expect(report.progress.get(name)?.execs).toBeGreaterThan(EXECS);
  });

  test('every target has a corpus, and every corpus has a target', () => {
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
    ['planted-stranger', /^threw an unexpected value\nTypeError/], // behind four branches: only coverage leads there
    ['planted-error', /^threw an Error instead of a JoinError/],
    ['planted-lines', /^threw an Error whose message is not one short line/],
    ['planted-hang', /^did not end within 700 ms/],
    ['planted-slow', /^took 1\d\d\d ms/],
    ['planted-memory', /^took \d\d\d MiB of memory/],
    ['planted-heap', /^needs more than 512 MiB of heap/],
    ['planted-recursion', /^threw an unexpected value\nRangeError/],
    ['planted-exit', /^ended the process \(SIGABRT\)/],
    ['planted-later', /^ended the process \(1\)\n[\s\S]*unhandled rejection/],
    ['planted-never', /^waits for something that nothing is left to bring/],
    ['planted-pollution', /^changed Object.prototype: polluted/],
    ['planted-escape', /^shows control characters/],
    ['planted-bug', /^threw an error that calls itself a bug/],
    ['planted-sound', undefined],
  ])('the fuzzer finds the defect of %s', (name, what) => {
    if (what === undefined) expect(found.get(name)).toBeUndefined();
    else expect(found.get(name)).toMatch(what);
  });

  test('every planted defect is tested', () => {
    expect([...found.keys(), 'planted-sound'].sort()).toEqual(Object.keys(planted).sort());
  });
});
