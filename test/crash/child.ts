/**
 * Runs, resumes and undoes like the command, once for each line of its input, in a process that can kill itself at its
 * nth point.
 */
import 'reflect-metadata';
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { packageAssets } from '../../bin/assets.ts';
import { composeApp } from '../../bin/compose.ts';
import { lastingName } from '../../bin/pipelines.ts';
import { planToResume } from '../../bin/runs/resume.ts';
import { journalFor } from '../../bin/runs/start.ts';
import { MachineFiles } from '../../engine/host/files.ts';
import { lockMachine } from '../../engine/host/lock.ts';
import { realHost } from '../../engine/host/real.ts';
import { isClosed } from '../../engine/journal/history.ts';
import { Runs } from '../../engine/journal/runs.ts';
import { kubeAccess } from '../../engine/kube/access.ts';
import { planOf } from '../../engine/pipeline/plan.ts';
import { undoPlan } from '../../engine/run/plan-record.ts';
import { type RunResult, run, undo } from '../../engine/run/run.ts';
import { isJoinError } from '../../engine/sdk/index.ts';
import { diskWithPoints, hostWithPoints } from '../helpers/points.ts';

export type Mode = 'run' | 'resume' | 'undo';
export interface Order {
  mode: Mode;
  /** The checkout with the pipeline. */
  project: string;
  root: string;
  pipeline: string;
  inputs: Record<string, unknown>;
  /** 0: the process is not killed. */
  killAt: number;
}
export interface Ended {
  status: RunResult['status'] | 'refused';
  code?: string;
  message?: string;
  points: number;
}

const FOREVER = new Int32Array(new SharedArrayBuffer(4));

/** Like `bin/running-command.ts`. */
async function act({ mode, project, root, pipeline, inputs }: Order, at: (where: string) => void): Promise<RunResult> {
  const app = composeApp({ assets: packageAssets(project) });
  const { catalog, registry } = app;
  const disk = diskWithPoints(at);
  const machine = await realHost(root, { access: kubeAccess });
  const host = hostWithPoints(machine, new MachineFiles(root, disk), at);
  const runs = new Runs(new MachineFiles(root, disk));
  const lock = await lockMachine(root);
  try {
    await runs.tidy();
    if (mode === 'run') {
      const opened = (await catalog.openOverlaid(pipeline, []))();
      const planned = planOf(opened, registry, inputs, host.facts);
      const plan = { ...planned, source: { ...planned.source, name: lastingName(pipeline) } };
      const { journal } = await journalFor(plan, runs);
      return await run({ plan, host, journal });
    }
    if (mode === 'undo') {
      const journal = await runs.open(await runs.find(undefined, ({ status }) => status !== 'undone', 'undo'));
      return await undo({ plan: undoPlan(journal, registry, [], host.facts), host, journal });
    }
    const journal = await runs.open(await runs.find(undefined, (history) => !isClosed(history), 'resume'));
    const plan = await planToResume(app, journal, { again: {}, argv: [] });
    await journal.resumed(plan.inputs);
    return await run({ plan, host, journal });
  } finally {
    await lock.release(); // a lock without a run leaves no folder
    await machine.close();
  }
}

const wordsOf = (error: unknown) =>
  isJoinError(error)
    ? { code: error.code, message: error.message }
    : { code: 'E_BUG', message: String((error as Error).stack) };

async function obey(order: Order): Promise<Ended> {
  let points = 0;
  const at = (where: string): void => {
    if (++points !== order.killAt) return;
    writeSync(1, where.replaceAll(order.root, ''));
    process.kill(process.pid, 'SIGKILL');
    Atomics.wait(FOREVER, 0, 0); // until the signal arrives
  };
  try {
    const { status, error } = await act(order, at);
    return { status, ...(error === undefined ? {} : wordsOf(error)), points };
  } catch (error) {
    return { status: 'refused', ...wordsOf(error), points };
  }
}

async function serve(): Promise<void> {
  for await (const line of createInterface({ input: process.stdin }))
    writeSync(1, `${JSON.stringify(await obey(JSON.parse(line) as Order))}\n`);
}

process.umask(0o077); // like hardened machines
void serve();
