/** Ratios that hold on any machine. docs/benchmarks.md has the milliseconds of one. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { changeCounts, historyOf } from '../../engine/journal/history.ts';
import pjson from '../../package.json' with { type: 'json' };
import { recordsOf, START } from '../helpers/journals.ts';
import { scratch } from '../helpers/machine.ts';
import { processorMs } from '../helpers/processor-time.ts';
import { PROJECT } from '../helpers/sources.ts';
import { trivialStepUs } from './engine.ts';
import { median } from './measure.ts';

/** The cost of a step in a long run, as a multiple of its cost in a short one. */
async function growth(of: (count: number) => Promise<number>, short: number, long: number): Promise<number> {
  await of(short); // compiles the code
  const costs = { short: [] as number[], long: [] as number[] };
  for (let round = 0; round < 3; round++) {
    costs.short.push(await of(short));
    costs.long.push(await of(long));
  }
  return median(costs.long) / median(costs.short);
}

test('a step of a run with 5,000 steps costs at most 1.5 times a step of a run with 500', async () => {
  expect(await growth(trivialStepUs, 500, 5_000)).toBeLessThan(1.5);
}, 120_000);

/** Microseconds of CPU for each change of a run that is undone. */
async function replayedChangeUs(count: number): Promise<number> {
  const seqs = Array.from({ length: count }, (_, index) => index);
  const change = { kind: 'directory', path: '/etc/x', mode: 0o755 } as const;
  const records = recordsOf([
    { kind: 'start', version: 1, id: '20261124-100000-0000', ...START },
    ...seqs.map((seq) => ({ kind: 'change', step: `s${seq}`, change, before: { kind: 'none' } }) as const),
    ...seqs.map((seq) => ({ kind: 'undone', change: seq + 2 }) as const), // the start has number 1
  ]);
  const before = processorMs();
  expect(changeCounts(historyOf(records))).toEqual({ made: count, undone: count, kept: 0 });
  return ((processorMs() - before) * 1_000) / count;
}

test('each change of an undone run of 20,000 changes is read in at most 3 times the time of one of 2,000', async () => {
  expect(await growth(replayedChangeUs, 2_000, 20_000)).toBeLessThan(3);
});

test('the launcher answers --version without the bundle', async () => {
  const folder = await scratch();
  mkdirSync(join(folder, 'bin'));
  for (const path of ['bin/join.cjs', 'package.json']) copyFileSync(join(PROJECT, path), join(folder, path));
  for (const word of ['--version', 'version'])
    expect(execFileSync(process.execPath, [join(folder, 'bin/join.cjs'), word], { encoding: 'utf8' })).toBe(
      `${pjson.name}/${pjson.version} ${process.platform}-${process.arch} node-${process.version}\n`,
    );
});
