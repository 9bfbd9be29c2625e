/** `join undo`: takes back what a run did. */
import { Args, Flags } from '@oclif/core';
import { JoinCommand } from '../command.ts';
import { runFlags } from '../inputs/flags.ts';

export class Undo extends JoinCommand {
  static override summary = 'Take back what a run has changed on this machine';
  static override description = [
    'Files, links, directories and services become what they were before, the last change first. A kubelet that has run is',
    'stopped first, its Node marked as not ready, its Pods and their mounts removed, and what it wrote. What somebody else has',
    'changed since is left as it is, and shown.',
  ].join('\n');
  static override examples = ['<%= config.bin %> undo', '<%= config.bin %> undo 20261124-10 --yes'];
  static override flags = {
    yes: Flags.boolean({ char: 'y', description: 'Do not ask' }),
    overwrite: Flags.boolean({ description: 'Also put back what somebody else has changed since' }),
    skip: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
      helpValue: 'STEP',
      description: 'Leave what this step has done outside the machine, where that cannot be taken back',
    }),
    root: runFlags.root,
    output: runFlags.output,
  };
  static override args = {
    id: Args.string({ ignoreStdin: true, description: 'Which run; left out: the last one that is not undone' }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.parse(Undo);
    const { yes, overwrite, skip = [], root, output } = flags;
    await this.undo({ id: args.id, yes, overwrite, skip, root, output });
  }
}
