/** `join reset`: makes this machine one that has never joined, whoever has joined it. */
import { Flags } from '@oclif/core';
import { planOfPhase } from '../../engine/pipeline/phase-plan.ts';
import type { Plan } from '../../engine/pipeline/plan.ts';
import { run } from '../../engine/run/run.ts';
import { fail, type HostFacts } from '../../engine/sdk/index.ts';
import { confirmed, isAnybodyThere } from '../ask.ts';
import { JoinCommand } from '../command.ts';
import { openRun, registry } from '../compose.ts';
import { flagsFor, runFlags, typedValues } from '../inputs/flags.ts';
import { plainValues } from '../inputs/values.ts';

const { 'on-failure': _, ...shared } = runFlags;

export function resetCommand() {
  const phase = registry().get('reset');
  return class Reset extends JoinCommand {
    static override summary = 'Make this machine one that has never joined, as kubeadm reset does';
    static override description = [
      'Stops the kubelet, removes its Pods and their mounts, and removes what kubeadm, the kubelet and this command have written.',
      'It shows what it would do, and asks. `join undo` puts back what was there before a join instead.',
    ].join('\n');
    static override flags = {
      ...flagsFor(phase.input),
      ...shared,
      yes: Flags.boolean({ char: 'y', description: 'Do not ask' }),
    };

    async run(): Promise<void> {
      const { flags } = await this.parse(Reset);
      const { 'dry-run': dryRun, root, output, yes } = flags;
      const given = plainValues(await typedValues(phase.input, flags, {}));
      const plan = (host: HostFacts) => planOfPhase('reset', phase, given, host);
      if (!dryRun && !yes && !(await isWanted(root, plan))) return this.log('Nothing was done.');
      await this.execute({ dryRun, onFailure: 'keep', root, output, plan });
      if (!dryRun && process.exitCode === 0) await forgetRuns(root);
    }
  };
}

/** Shows what a dry run finds, and asks. E_RESET_UNCONFIRMED. */
async function isWanted(root: string, planFor: (host: HostFacts) => Plan): Promise<boolean> {
  const { host, machine, close } = await openRun({ root, dryRun: true });
  try {
    const plan = planFor(host.facts);
    const result = await run({ plan, host });
    if (result.error !== undefined) throw result.error;
    const { plannedChanges, planText } = await import('../render/plan.ts');
    const changes = await plannedChanges(result, machine);
    process.stderr.write(`${planText({ result, plan, changes, waits: new Map() })}\n`);
  } finally {
    await close();
  }
  if (!isAnybodyThere()) throw fail('E_RESET_UNCONFIRMED', {});
  return confirmed('Reset this machine?');
}

/** What they would put back, or go on with, is gone. */
async function forgetRuns(root: string): Promise<void> {
  const { runs, lock, close } = await openRun({ root });
  try {
    await lock();
    for (const id of await runs.ids()) await runs.remove(id);
    await runs.tidy();
  } finally {
    await close();
  }
}
