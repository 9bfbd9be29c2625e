/**
 * `npm run fuzz`: tests the properties with a fresh seed, and then fuzzes all targets in turns until the time is up.
 * With `--target`, it only fuzzes these targets. Exits with 1 if a property fails, or if there are findings.
 */
import { rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Finding, Progress } from './loop.ts';
import { propertiesHold } from './properties.ts';
import { buildLoop, CACHE, fuzz, KEPT } from './supervisor.ts';
import { targets } from './targets.ts';

const TURN_MS_MAX = 30_000;

const { values } = parseArgs({
  options: {
    target: { type: 'string', multiple: true },
    seconds: { type: 'string', default: '600' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    input: { type: 'string' },
    minimise: { type: 'boolean', default: false },
  },
});
const names = values.target ?? Object.keys(targets);
const unknown = names.filter((name) => !Object.hasOwn(targets, name));
if (unknown.length > 0)
  throw new Error(`there is no target ${unknown.join(', ')}; there are ${Object.keys(targets).join(', ')}`);

const corpora = [KEPT, `${CACHE}/corpus`];
const findings: Finding[] = [];
let execs = 0;
let hold = true;
await buildLoop();

if (values.input !== undefined)
  findings.push(...(await fuzz({ targets: names, corpora: [], only: values.input, seed: 0 })).findings);
else if (values.minimise) {
  findings.push(...(await fuzz({ targets: names, corpora, seed: 0, minimise: true })).findings);
  if (findings.length === 0) rmSync(`${CACHE}/corpus`, { recursive: true, force: true });
} else {
  if (values.target === undefined) hold = propertiesHold(Number(values.seed));
  await inTurns(Number(values.seconds) * 1_000);
}

for (const { target, what, path } of findings)
  console.log(`\n${target}: ${shortened(what)}\n  again: npm run fuzz -- --target ${target} --input ${path}`);
console.log(`\n${execs} inputs, ${findings.length} findings`);
process.exitCode = hold && findings.length === 0 ? 0 : 1;

/** The first lines of the stack. */
function shortened(what: string): string {
  const lines = what.split('\n').slice(0, 12);
  return lines.map((line) => line.slice(0, 200)).join('\n');
}

/** Short turns, each in a new process, so that leftovers of inputs do not accumulate. */
async function inTurns(totalMs: number): Promise<void> {
  const endMs = performance.now() + totalMs;
  const seed = Number(values.seed);
  console.log(`seed ${seed}`);
  let open = names;
  for (let turn = 0; open.length > 0 && performance.now() < endMs; turn++) {
    const ms = Math.min(TURN_MS_MAX, (endMs - performance.now()) / open.length);
    for (const name of open) {
      const startMs = performance.now();
      const shown = ({ execs, blocks, kept }: Progress): string => {
        const perSecond = Math.round((execs * 1_000) / (performance.now() - startMs));
        return `${name}: ${execs} inputs, ${perSecond}/s, ${blocks} blocks, corpus ${kept}`;
      };
      const job = { targets: [name], corpora, seed: seed + turn, ms, keep: `${CACHE}/corpus` };
      const report = await fuzz(job, (progress) => {
        if (process.stdout.isTTY) process.stdout.write(`\r${shown(progress)}`);
      });
      const progress = report.progress.get(name);
      if (progress !== undefined) console.log(`\r${shown(progress)}`);
      for (const { what } of report.findings) console.log(`${name}: FOUND ${what.split('\n')[0]}`);
      execs += progress?.execs ?? 0;
      findings.push(...report.findings);
    }
    open = open.filter((name) => !findings.some(({ target }) => target === name)); // until the defect is fixed
  }
}
