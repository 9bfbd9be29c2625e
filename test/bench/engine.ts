/** What the engine costs: a step that does nothing, its journal on disk, and its undo. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MachineFiles } from '../../engine/host/files.ts';
import { realHost } from '../../engine/host/real.ts';
import type { Journal } from '../../engine/journal/journal.ts';
import { Runs } from '../../engine/journal/runs.ts';
import { kubeAccess } from '../../engine/kube/access.ts';
import { Registry } from '../../engine/pipeline/registry.ts';
import { undoPlan } from '../../engine/run/plan-record.ts';
import { run, undo } from '../../engine/run/run.ts';
import { writes } from '../../engine/sdk/index.ts';
import { memoryHost } from '../../engine/testing/memory-host.ts';
import { planOfSteps, type TestStep } from '../helpers/plans.ts';
import { processorMs } from '../helpers/processor-time.ts';

const START = {
  joinery: '0.0.0',
  pipeline: 'bench',
  source: { kind: 'pipeline', name: 'bench', digest: 'bench' },
  inputs: {},
  host: { name: 'w1', privileged: true, architecture: 'amd64', distribution: 'debian' },
  steps: [],
} as const;

/** Microseconds of CPU for each of `count` steps, each of which needs the one before it. */
export async function trivialStepUs(count: number): Promise<number> {
  const plan = planOfSteps(...chain(count, { run: () => undefined }));
  return perStepUs(count, () => run({ plan, host: memoryHost({}) }));
}

/** The same, with a journal on disk. */
export const durableStepUs = (count: number): Promise<number> =>
  withRuns((runs) => {
    const plan = planOfSteps(...chain(count, { run: () => undefined }));
    return perStepUs(count, () => run({ plan, host: memoryHost({}), journal: runs.begin(START) }));
  });

/** The undo of steps that have written one file each, on the disk. */
export const undoneStepUs = (count: number): Promise<number> =>
  withRuns(async (runs, root) => {
    mkdirSync(join(root, 'etc'));
    const host = await realHost(root, { access: kubeAccess });
    const effects = [writes('/etc/*', 0o644, 'a file of this step')];
    const steps = chain(count, { effects, run: () => undefined }).map((step) => ({
      ...step,
      run: ({ files }) => files.write(`/etc/${step.id}`, step.id, 0o644),
    })) satisfies TestStep[];
    const plan = planOfSteps(...steps);
    const journal: Journal = runs.begin(START);
    await run({ plan, host, journal });
    const registry = new Registry();
    for (const { phase } of plan.steps) registry.add(phase);
    const opened = await runs.open(journal.id);
    return perStepUs(count, () => undo({ plan: undoPlan(opened, registry, [], host.facts), host, journal: opened }));
  });

/** The same steps as promises, without an engine. */
export async function bareStepUs(count: number): Promise<number> {
  const steps = Array.from({ length: count }, () => async () => undefined);
  return perStepUs(count, async () => {
    for (const step of steps) await step();
    return { status: 'succeeded' };
  });
}

function chain(count: number, step: Omit<TestStep, 'id'>): TestStep[] {
  return Array.from({ length: count }, (_, index) => ({
    ...step,
    id: `s${index}`,
    needs: index === 0 ? [] : [`s${index - 1}`],
  }));
}

async function perStepUs(count: number, act: () => Promise<{ status: string }>): Promise<number> {
  const before = processorMs();
  const { status } = await act();
  if (status !== 'succeeded') throw new Error(`the run ${status}`);
  return ((processorMs() - before) * 1_000) / count;
}

async function withRuns<T>(use: (runs: Runs, root: string) => Promise<T>): Promise<T> {
  const root = mkdtempSync(join(tmpdir(), 'joinery-bench-'));
  try {
    return await use(new Runs(new MachineFiles(root)), root);
  } finally {
    rmSync(root, { recursive: true });
  }
}
