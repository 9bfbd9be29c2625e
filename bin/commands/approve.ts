/** `join approve`: answers a run that waits for somebody. It needs no lock: the run itself holds that. */
import { userInfo } from 'node:os';
import { Args, Flags } from '@oclif/core';
import { JoinCommand } from '../command.ts';
import { openRun } from '../compose.ts';
import { runFlags } from '../inputs/flags.ts';

export class Approve extends JoinCommand {
  static override summary = 'Answer a run that waits for an approval';
  static override description = 'Who and why is kept in the journal of the run: join runs show.';
  static override examples = [
    '<%= config.bin %> approve 20261124-10 window-open --reason "change 4711"',
    '<%= config.bin %> approve 20261124-10 window-open --deny --reason "no window today"',
  ];
  static override flags = {
    deny: Flags.boolean({ description: 'Say no: the step fails' }),
    reason: Flags.string({ default: '', description: 'Why', helpValue: 'TEXT' }),
    root: runFlags.root,
  };
  static override args = {
    id: Args.string({
      ignoreStdin: true,
      required: true,
      description: 'Which run; as much of its id as is unlike others',
    }),
    step: Args.string({ ignoreStdin: true, required: true, description: 'Which of its steps' }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.parse(Approve);
    const scope = await openRun({ root: flags.root });
    try {
      const id = await scope.runs.find(args.id, () => true, 'approve');
      const decision = flags.deny ? 'denied' : 'approved';
      await scope.runs.answer(id, args.step, { decision, by: whoIsThere(), reason: flags.reason });
      this.log(`Step ${args.step} of run ${id} is ${decision}.`);
    } finally {
      await scope.close();
    }
  }
}

/** The person behind root, where sudo tells. */
export const whoIsThere = (): string => process.env.SUDO_USER ?? userInfo().username;
