/** A run, a resume or an undo as the command does it, in a process that can be told to die at its nth point. */
import 'reflect-metadata';
import { writeSync } from 'node:fs';
import { registry } from '../../bin/compose.ts';
import { DEFAULT_PIPELINE, lastingName, openPipeline } from '../../bin/pipelines.ts';
import { journalFor, planToResume } from '../../bin/runs.ts';
import { MachineFiles } from '../../engine/host/files.ts';
import { type Lock, lockMachine } from '../../engine/host/lock.ts';
import { realHost } from '../../engine/host/real.ts';
import { isClosed } from '../../engine/journal/history.ts';
import { planOfHistory } from '../../engine/journal/plan.ts';
import { Runs } from '../../engine/journal/runs.ts';
import { planOf } from '../../engine/pipeline/plan.ts';
import { type RunResult, run, undo } from '../../engine/run.ts';
import { isJoinError } from '../../engine/sdk/index.ts';
import { diskWithPoints, hostWithPoints } from '../helpers/points.ts';

export type Mode = 'run' | 'resume' | 'undo';
export interface Told {
  mode: Mode;
  /** The checkout: its pipeline is run. */
  project: string;
  root: string;
  inputs: Record<string, unknown>;
  /** 0: it lives. */
  killAt: number;
}
export interface Ended {
  status: RunResult['status'] | 'refused';
  code?: string;
  message?: string;
  points: number;
}

const { mode, project, root, inputs, killAt } = JSON.parse(process.argv[2] ?? '') as Told;
let points = 0;
let lock: Lock | undefined;

function at(where: string): void {
  if (++points !== killAt) return;
  writeSync(1, where.replaceAll(root, ''));
  process.kill(process.pid, 'SIGKILL');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); // until it has come
}

/** As `bin/command.ts`. */
async function act(): Promise<RunResult> {
  const disk = diskWithPoints(at);
  const host = hostWithPoints(await realHost(root), new MachineFiles(root, disk), at);
  const runs = new Runs(new MachineFiles(root, disk));
  lock = await lockMachine(root);
  await runs.tidy();
  if (mode === 'run') {
    const made = planOf(openPipeline(project, DEFAULT_PIPELINE), registry(), inputs, host.facts);
    const plan = { ...made, source: { ...made.source, name: lastingName(DEFAULT_PIPELINE) } };
    const { journal } = await journalFor(plan, runs);
    return run({ plan, host, journal });
  }
  if (mode === 'undo') {
    const journal = await runs.open(await runs.find(undefined, ({ status }) => status !== 'undone', 'undo'));
    return undo({ plan: planOfHistory(journal, registry(), [], host.facts), host, journal });
  }
  const journal = await runs.open(await runs.find(undefined, (history) => !isClosed(history), 'resume'));
  const plan = await planToResume(project, journal, {}, []);
  await journal.resumed(plan.inputs);
  return run({ plan, host, journal });
}

async function tell(ended: Omit<Ended, 'points'>): Promise<never> {
  await lock?.release(); // what was locked for nothing leaves nothing
  writeSync(1, JSON.stringify({ ...ended, points } satisfies Ended));
  process.exit();
}

const wordsOf = (error: unknown) =>
  isJoinError(error)
    ? { code: error.code, message: error.message }
    : { code: 'E_BUG', message: String((error as Error).stack) };

process.umask(0o077); // as hardened machines have it
act().then(
  ({ status, error }) => tell({ status, ...(error === undefined ? {} : wordsOf(error)) }),
  (error: unknown) => tell({ status: 'refused', ...wordsOf(error) }),
);
