import type { Host } from '../../engine/host/host.ts';
import type { Plan } from '../../engine/pipeline/plan.ts';
import { Registry } from '../../engine/pipeline/registry.ts';
import { undoPlan } from '../../engine/run/plan-record.ts';
import { type RunEvent, type RunOptions, run, type UndoOptions, undo } from '../../engine/run/run.ts';
import { fail, type Ports, writes } from '../../engine/sdk/index.ts';
import { memoryHost } from '../../engine/testing/memory-host.ts';
import { runsOnDisk, START } from './journals.ts';
import { phaseOfStep, planOfSteps, type TestStep } from './plans.ts';

export const SIGNAL = new AbortController().signal;
export const ETC = [writes('/etc/*', 0o644, 'x')];
export const BROKEN = fail('E_FILE', { path: '/x', what: 'no space' });
export const STOPPED = fail('E_CANCELLED', { signal: 'SIGINT' });
export const write = (host: Host, path: string, text: string) =>
  host.apply({ kind: 'file', path, content: Buffer.from(text), mode: 0o644, secret: false }, SIGNAL);

export interface UndoableStep extends TestStep {
  /** Undoes what the step changed outside the machine. */
  undo?: (ports: Ports, input: unknown) => Promise<void>;
}
export const planWith = (...steps: UndoableStep[]): Plan => {
  const plan = planOfSteps(...steps);
  const phases = steps.map(({ undo: back, ...step }) => ({
    ...phaseOfStep(step),
    ...(back === undefined ? {} : { undo: back }),
  }));
  return { ...plan, steps: plan.steps.map((step, index) => ({ ...step, phase: phases[index] ?? step.phase })) };
};

/** A machine with a run that can be resumed and undone, each as if in a new process. */
export async function undoableRun(...steps: UndoableStep[]) {
  const host = memoryHost({ directories: ['/etc'] });
  const { runs } = await runsOnDisk();
  const plan = planWith(...steps);
  const registry = new Registry();
  for (const { phase } of plan.steps) registry.add(phase);
  const begun = runs.begin(START);
  const events: RunEvent[] = [];
  const onEvent = (event: RunEvent) => void events.push(event);
  return {
    host,
    events,
    begin: (options: Partial<RunOptions> = {}) => run({ plan, host, journal: begun, onEvent, ...options }),
    async resume(options: Partial<RunOptions> = {}) {
      const journal = await runs.open(begun.id);
      await journal.resumed({});
      return run({ plan, host, journal, onEvent, ...options });
    },
    async undo({ skip = [], ...options }: Partial<UndoOptions> & { skip?: string[] } = {}) {
      events.length = 0;
      const journal = await runs.open(begun.id);
      return undo({ plan: undoPlan(journal, registry, skip, host.facts), host, journal, onEvent, skip, ...options });
    },
    open: () => runs.open(begun.id),
    history: () => runs.history(begun.id),
    names: () => host.read<'list'>({ kind: 'list', path: '/etc' }, SIGNAL),
    restored: () => events.flatMap((event) => (event.type === 'step.restored' ? [event.outcome] : [])),
  };
}
/** A step that writes a file of its name, and whose undo adds a line to `undone`. */
export const step = (
  id: string,
  undone: string[],
  needs: string[] = [],
  more: Partial<UndoableStep> = {},
): UndoableStep => ({
  id,
  needs,
  effects: ETC,
  value: { of: id },
  run: ({ files }) => files.write(`/etc/${id}`, id, 0o644),
  undo: async ({ files }, input) => {
    const isThere = (await files.stat(`/etc/${id}`)) !== undefined;
    undone.push(`${id} ${JSON.stringify(input)}${isThere ? '' : ' without its file'}`);
  },
  ...more,
});
export const failingStep: Partial<UndoableStep> = {
  run: async ({ files }) => {
    await files.write('/etc/bad', 'bad', 0o644);
    throw BROKEN;
  },
};
