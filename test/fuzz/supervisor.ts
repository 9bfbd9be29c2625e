/** Runs the loop in its own process, and reports the input that hung or ended it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'esbuild';
import { writeInput } from './inputs.ts';
import type { Finding, Job, Message, Progress } from './loop.ts';

export const KEPT = 'test/fuzz/corpus';
export const CACHE = 'node_modules/.cache/fuzz';
const FINDINGS = `${CACHE}/findings`;
const LOOP = `${CACHE}/loop.cjs`;
const HANG_MS = 30_000;
const HEAP_MIB_MAX = 512;

interface Task extends Omit<Job, 'current' | 'findings'> {
  /**
   * An input that takes longer is killed, and tried once more alone. The loop judges inputs that are slow but end.
   */
  hangMs?: number;
}
export interface Report {
  progress: Map<string, Progress>;
  findings: Finding[];
}

/** Bundles one script, so that coverage is about one script. */
export async function buildLoop(): Promise<void> {
  const options = {
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'warning',
  } as const;
  await build({ ...options, entryPoints: ['test/fuzz/loop.ts'], outfile: LOOP });
}

/**
 * Fuzzes all targets of the job, one after the other. A target ends with its first finding. The loop must have been
 * built.
 */
export async function fuzz(job: Task, onProgress: (progress: Progress) => void = () => undefined): Promise<Report> {
  const report: Report = { progress: new Map(), findings: [] };
  let left = job.targets;
  while (left.length > 0) {
    const ended = new Set<string>();
    const death = await runLoop({ ...job, targets: left }, (message) => {
      if (message.kind === 'finding') {
        report.findings.push(message.finding);
        ended.add(message.finding.target);
        return;
      }
      report.progress.set(message.progress.target, message.progress);
      if (message.kind === 'done') ended.add(message.progress.target);
      else onProgress(message.progress);
    });
    left = left.filter((name) => !ended.has(name));
    const [target] = left;
    if (target === undefined) break;
    const finding = { target, what: death.what, path: writeInput(join(FINDINGS, target), death.input) };
    if (job.only !== undefined) report.findings.push(finding);
    else {
      const alone = await fuzz({ ...job, targets: [target], corpora: [], only: finding.path, execs: 0, ms: 0 });
      if (alone.findings.length > 0) report.findings.push(...alone.findings);
      else if (!death.hung)
        report.findings.push({ ...finding, what: `in a run of many, and not alone: ${death.what}` });
    }
    left = left.slice(1);
  }
  return report;
}

interface Death {
  what: string;
  hung: boolean;
  input: Buffer;
}

async function runLoop(job: Task, onMessage: (message: Message) => void): Promise<Death> {
  const current = join(CACHE, `current-${process.pid}-${counter++}`);
  const child = spawn(
    process.execPath,
    [
      '--enable-source-maps',
      `--max-old-space-size=${HEAP_MIB_MAX}`,
      LOOP,
      JSON.stringify({ ...job, current, findings: FINDINGS }),
    ],
    {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    },
  );
  child.on('message', onMessage);
  const said = text(child.stderr as NonNullable<ChildProcess['stderr']>);
  const exited = once(child, 'exit');
  const watching = new AbortController();
  const { hangMs = HANG_MS } = job;
  const hung = killWhereHung(child, current, hangMs, watching.signal);
  const [code, signal] = (await exited) as [number | null, string | null];
  watching.abort();
  const input = inputIn(current);
  rmSync(current, { force: true });
  if (await hung) return { what: `did not end within ${hangMs} ms`, hung: true, input };
  if (code === 0) return { what: 'waits for something that nothing is left to bring', hung: false, input };
  const lines = (await said).trim();
  const why = /heap limit|out of memory/i.test(lines)
    ? `needs more than ${HEAP_MIB_MAX} MiB of heap`
    : `ended the process (${signal ?? code})`;
  return { what: `${why}\n${lines.slice(0, 2_000)}`, hung: false, input };
}

let counter = 0;

/** Kills the process if the number of the input stays the same for too long. */
async function killWhereHung(
  child: ChildProcess,
  current: string,
  hangMs: number,
  signal: AbortSignal,
): Promise<boolean> {
  for (let last = -1, sinceMs = performance.now(); !signal.aborted; ) {
    await sleep(hangMs / 10, undefined, { signal }).catch(() => undefined);
    const exec = execIn(current);
    if (exec !== last) [last, sinceMs] = [exec, performance.now()];
    else if (exec > 0 && performance.now() - sinceMs > hangMs) return child.kill('SIGKILL');
  }
  return false;
}

function execIn(current: string): number {
  try {
    return readFileSync(current).readUInt32LE(0);
  } catch {
    return 0; // it has not begun
  }
}
function inputIn(current: string): Buffer {
  try {
    const bytes = readFileSync(current);
    return bytes.subarray(8, 8 + bytes.readUInt32LE(4));
  } catch {
    return Buffer.alloc(0); // it never began
  }
}
