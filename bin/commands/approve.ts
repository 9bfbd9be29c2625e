/** `join approve`: answers a run that waits for an approval. It takes no lock, because the run holds it. */
import { userInfo } from 'node:os';
import { Args, Flags } from '@oclif/core';
import { JoinCommand } from '../command.ts';
import { runFlags } from '../inputs/common-flags.ts';

export class Approve extends JoinCommand {
  static override summary = 'Approve or deny a step of a run that waits for approval';
  static override description = 'The journal records who answered, and the reason: join runs show.';
  static override examples = [
    '<%= config.bin %> approve 20261124-10 window-open --reason "change 4711"',
    '<%= config.bin %> approve 20261124-10 window-open --deny --reason "no window today"',
  ];
  static override flags = {
    deny: Flags.boolean({ description: 'Deny: the step fails' }),
    reason: Flags.string({ default: '', description: 'Reason for the answer', helpValue: 'TEXT' }),
    root: runFlags.root,
  };
  static override args = {
    id: Args.string({ ignoreStdin: true, required: true, description: 'Run ID, or a unique prefix' }),
    step: Args.string({ ignoreStdin: true, required: true, description: 'ID of the step' }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.parse(Approve);
    const { runs, close } = await this.app.openMachine({ root: flags.root });
    try {
      const id = await runs.find(args.id, () => true, 'approve');
      const decision = flags.deny ? 'denied' : 'approved';
      await runs.answer(id, args.step, { decision, by: userName(), reason: flags.reason });
      this.report(`Step ${args.step} of run ${id} is ${decision}.`);
    } finally {
      await close();
    }
  }
}

/** The user who called sudo, if any, rather than root. */
const userName = (): string => process.env.SUDO_USER ?? userInfo().username;
