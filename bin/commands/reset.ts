/** `join reset`: resets this machine to its pre-join state, whichever tool joined it. */
import { Flags } from '@oclif/core';
import { isUndone } from '../../engine/journal/history.ts';
import type { Runs } from '../../engine/journal/runs.ts';
import { planOfPhase } from '../../engine/pipeline/phase-plan.ts';
import type { Plan } from '../../engine/pipeline/plan.ts';
import { run } from '../../engine/run/run.ts';
import { fail, type HostFacts } from '../../engine/sdk/index.ts';
import type { App } from '../compose.ts';
import { typedValues } from '../inputs/arguments.ts';
import { eventsFlag, runFlags } from '../inputs/common-flags.ts';
import { flagsFor } from '../inputs/flags.ts';
import { confirm, isInteractive } from '../inputs/terminal.ts';
import { plainValues } from '../inputs/values.ts';
import { RunningCommand } from '../running-command.ts';

const { 'on-failure': _, ...sharedFlags } = runFlags;

export function resetCommand(app: App) {
  const phase = app.registry.get('reset');
  return class Reset extends RunningCommand {
    static override summary = 'Reset this machine to its pre-join state (like kubeadm reset)';
    static override description = [
      'Stops the kubelet, removes its Pods and mounts, and deletes the files of kubeadm, the kubelet and Joinery. Earlier',
      'runs stay in the list of join runs. On a control plane, its member leaves etcd first.',
      'Shows the changes and asks for confirmation. To restore the state before a join, use `join undo` instead.',
    ].join(' ');
    static override flags = {
      ...flagsFor(phase.input),
      ...sharedFlags,
      output: eventsFlag,
      yes: Flags.boolean({ char: 'y', description: 'Do not ask for confirmation' }),
    };

    async run(): Promise<void> {
      const { flags } = await this.parse(Reset);
      const { 'dry-run': isDryRun, diff, root, output, yes } = flags;
      const dryRun = isDryRun ? ({ document: 'result', diff } as const) : undefined;
      const inputs = plainValues(await typedValues(phase.input, { flags }));
      const plan = (host: HostFacts) => planOfPhase('reset', phase, inputs, host);
      if (!isDryRun && !yes && !(await isConfirmed(app, root, plan))) return this.log('Nothing was changed.');
      // No journal: a reset must work whatever the state of earlier runs and of the disk.
      await this.execute({ dryRun, onFailure: 'keep', root, output, plan, isRecorded: false });
      if (!isDryRun && process.exitCode === 0) await closeRuns(app, root);
    }
  };
}

/** Shows the result of a dry run, and asks. E_RESET_UNCONFIRMED. */
async function isConfirmed(app: App, root: string, planFor: (host: HostFacts) => Plan): Promise<boolean> {
  const { host, machine, close } = await app.openMachine({ root, dryRun: true });
  try {
    const plan = planFor(host.facts);
    const result = await run({ plan, host });
    if (result.error !== undefined) throw result.error;
    const { planText } = await import('../render/plan.ts');
    const { plannedChanges } = await import('../render/planned.ts');
    const changes = await plannedChanges(result, machine);
    process.stderr.write(`${planText({ result, plan, changes, waits: new Map() })}\n`);
  } finally {
    await close();
  }
  if (!isInteractive()) throw fail('E_RESET_UNCONFIRMED', {});
  return confirm('Reset this machine?');
}

/** What earlier runs did stays on record. What they would restore or resume from is deleted. */
async function closeRuns(app: App, root: string): Promise<void> {
  const { runs, lock, close } = await app.openMachine({ root });
  try {
    await lock();
    for (const id of await runs.ids()) await closeRun(runs, id);
    await runs.tidy();
  } finally {
    await close();
  }
}

/** The record of another machine, or one that is damaged or cannot be written, would stop the next join. */
async function closeRun(runs: Runs, id: string): Promise<void> {
  try {
    const journal = await runs.open(id);
    if (isUndone(journal.history())) return;
    await journal.finished({ status: 'undone', isReset: true });
    await journal.close();
  } catch {
    await runs.remove(id);
  }
}
