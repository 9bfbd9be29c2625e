/** Measures whole processes from outside, by the accounting of the kernel. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

export type Measured = {
  /** CPU of the process and of the children that it waited for. */
  cpuMs: number;
  wallMs: number;
  /** Peak memory of the largest process. */
  peakMb: number;
};

/** Node 20 reads this file at every start, which no ordinary machine sets. */
const { NODE_EXTRA_CA_CERTS: _, ...environment } = process.env;

let count = 0;

/** Runs a command that must exit with 0. */
export async function measure(argv: readonly string[]): Promise<Measured> {
  const report = join(tmpdir(), `joinery-bench-${process.pid}-${++count}`);
  const began = performance.now();
  const child = spawn('/usr/bin/time', ['-q', '-o', report, '-f', '%U %S %M', ...argv], {
    env: environment,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [messages, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  const wallMs = performance.now() - began;
  if (code !== 0) throw new Error(`${argv.join(' ')} ended with ${code}\n${messages}`);
  const [user = 0, system = 0, peakKb = 0] = readFileSync(report, 'utf8').trim().split(' ').map(Number);
  rmSync(report);
  return { cpuMs: (user + system) * 1000, wallMs, peakMb: peakKb / 1024 };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.slice(Math.ceil(sorted.length / 2) - 1, Math.floor(sorted.length / 2) + 1);
  return middle.reduce((sum, value) => sum + value, 0) / middle.length;
}

/** The median of each figure over `runs` rounds, in which the cases take turns. A first round is not counted. */
export async function alternate<Case extends string, Figures extends { [figure: string]: number }>(
  runs: number,
  cases: Readonly<Record<Case, () => Promise<Figures>>>,
): Promise<Record<Case, Figures>> {
  const all = Object.keys(cases).map((name) => ({ name, seen: [] as Figures[] }));
  for (let round = 0; round <= runs; round++)
    for (const { name, seen } of all) {
      const figures = await cases[name as Case]();
      if (round > 0) seen.push(figures);
    }
  const medians = ({ seen }: { seen: Figures[] }) =>
    Object.fromEntries(
      Object.keys(seen[0] ?? {}).map((figure) => [figure, median(seen.map((each) => each[figure] ?? Number.NaN))]),
    );
  return Object.fromEntries(all.map((each) => [each.name, medians(each)])) as Record<Case, Figures>;
}
