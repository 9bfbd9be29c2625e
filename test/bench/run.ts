/** `npm run bench`: measures this build beside a sandbox, and writes docs/benchmarks.md. Needs GNU time, not root. */
import 'reflect-metadata';
import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { PROJECT } from '../helpers/sources.ts';
import { builtEngine } from './built-engine.ts';
import { joinsInProcess } from './many.ts';
import { alternate, type Measured, measure, median } from './measure.ts';
import { type Line, plot, table, writeSection } from './report.ts';
import { joined, joinedAtOnce, PROGRAMS, startUp } from './sandbox.ts';

const RUNS = Number(process.argv[2] ?? 10);
const BARE = 'node -e 0';
const AT_ONCE = 20;
const IN_PROCESS = 100;
/** V8 compiles the engine while it runs them. They do not count. */
const WARM_UP_STEPS = 10_000;
const document = join(PROJECT, 'docs/benchmarks.md');
const whole = (value: number) => Math.round(value).toLocaleString('en');

const { bareStepUs, durableStepUs, trivialStepUs, undoneStepUs } = await builtEngine();
const started = await startUpTable();
const joins = await joinTable();
const lines: Line[] = [
  { name: 'in memory', points: await costs(trivialStepUs, [10, 100, 1_000, 10_000]) },
  { name: 'journal on disk', points: await costs(durableStepUs, [10, 100, 1_000, 10_000]) },
  { name: 'undo', points: await costs(undoneStepUs, [10, 100, 1_000, 2_000]) },
];
writeFileSync(
  join(PROJECT, 'docs/benchmarks-engine.svg'),
  plot('CPU for each step, by the number of steps', 'µs of CPU for each step', lines),
);
const load = loadavg()[0]?.toFixed(1);
const { platform, arch, version } = process;
const machine = `${cpus().length} cores with a load of ${load}, ${platform} ${arch}, Node ${version}`;
const figures = `${new Date().toISOString().slice(0, 10)}, ${machine}. Medians of ${RUNS} runs in turn.`;
writeSection(document, 'sandbox', [figures, started, joins, await engineTable(), await manyText()].join('\n\n'));
process.exit(0);

async function startUpTable(): Promise<string> {
  const words = Object.values(PROGRAMS);
  const cases = words.flatMap((program, index) =>
    Object.entries(startUp(program)).map(([name, run]) => [`${name}, ${Object.keys(PROGRAMS)[index]}`, run] as const),
  );
  const empty = () => measure([process.execPath, '-e', '0']);
  const all: Record<string, () => Promise<Measured>> = { [BARE]: empty, ...Object.fromEntries(cases) };
  const seen = await alternate(RUNS, all);
  const bare = seen[BARE]?.cpuMs ?? Number.NaN;
  return table(
    ['start-up', 'CPU ms', '× node -e 0', 'wall ms', 'peak MB'],
    Object.entries(seen).map(([name, { cpuMs, wallMs, peakMb }]) => [
      name,
      whole(cpuMs),
      (cpuMs / bare).toFixed(2),
      whole(wallMs),
      whole(peakMb),
    ]),
  );
}

async function joinTable(): Promise<string> {
  const cases = Object.entries(PROGRAMS).map(([name, words]) => [name, () => joined(words)] as const);
  const seen = await alternate(RUNS, Object.fromEntries(cases));
  return table(
    ['join run', 'CPU ms, with children', 'identity ms', 'end ms', 'peak MB'],
    Object.entries(seen).map(([name, { cpuMs, identityMs, wallMs, peakMb }]) => [
      name,
      whole(cpuMs),
      whole(identityMs),
      whole(wallMs),
      whole(peakMb),
    ]),
  );
}

async function costs(of: (count: number) => Promise<number>, counts: readonly number[]) {
  const points: [number, number][] = [];
  for (let steps = 0; steps < WARM_UP_STEPS; steps += counts[0] ?? 1) await of(counts[0] ?? 1);
  for (const count of counts) {
    const seen: number[] = [];
    for (let round = 0; round < 5; round++) seen.push(await of(count));
    points.push([count, median(seen)]);
  }
  return points;
}

async function engineTable(): Promise<string> {
  const rows = lines.flatMap(({ name, points }) =>
    points.map(([count, us]) => [`${name}, ${whole(count)}`, whole(us)]),
  );
  const bare = ['promises without an engine, 1,000', (await bareStepUs(1_000)).toFixed(1)];
  return `${table(['steps that do nothing', 'CPU µs for each'], [...rows, bare])}

![CPU for each step, by the number of steps](benchmarks-engine.svg)`;
}

async function manyText(): Promise<string> {
  const [words = []] = Object.values(PROGRAMS);
  const { joined: count, wallMs } = await joinedAtOnce(words, AT_ONCE);
  const began = performance.now();
  const results = await joinsInProcess(IN_PROCESS);
  const succeeded = results.filter(({ status }) => status === 'succeeded').length;
  const seconds = (ms: number) => (ms / 1_000).toFixed(1);
  return [
    `${AT_ONCE} joins at once, each a process with a sandbox of its own: ${count} succeeded, in ${seconds(wallMs)} s.`,
    `${IN_PROCESS} joins at once in one process, with machines in memory and one sandbox: ${succeeded} succeeded, in ` +
      `${seconds(performance.now() - began)} s.`,
  ].join('\n');
}
