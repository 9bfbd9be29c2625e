/** `join undo`: rolls back the changes of a run. */
import { Args, Flags } from '@oclif/core';
import { eventsFlag, quietFlag, runFlags } from '../inputs/common-flags.ts';
import { RunningCommand } from '../running-command.ts';

export class Undo extends RunningCommand {
  static override summary = 'Roll back the changes a run made to this machine';
  static override description = [
    'Restores files, links, directories and services, the last change first. If a kubelet has run, undo ' +
      'first stops it,',
    'marks its Node as not ready, and removes its Pods, their mounts and its files. Files that have changed since the',
    'run are kept, and undo prints the difference. Restored files have their owner, ACL, label, attributes, times and',
    'hard links again; directories and links only their owner and mode. If /var/lib/joinery is on another file system,',
    'hard links are not restored, and ACLs, labels and attributes only if that file system supports them.',
  ].join(' ');
  static override examples = [
    '<%= config.bin %> undo',
    '<%= config.bin %> undo 20261124-10 --yes',
    '<%= config.bin %> undo --salvage 20261124-10',
  ];
  static override flags = {
    yes: Flags.boolean({ char: 'y', description: 'Do not ask for confirmation' }),
    'dry-run': Flags.boolean({ description: 'Show what would be undone or refused, and change nothing' }),
    salvage: Flags.boolean({ description: 'Undo the readable part of a damaged journal, and report the rest' }),
    overwrite: Flags.boolean({ description: 'Restore files even if they have changed since the run' }),
    skip: Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      delimiter: ',',
      helpValue: 'STEP',
      description:
        'Leave what this step did outside the machine and by commands, and what cannot be restored (repeatable)',
    }),
    root: runFlags.root,
    output: eventsFlag,
    quiet: quietFlag,
  };
  static override args = {
    id: Args.string({
      ignoreStdin: true,
      description: 'Run ID, or a unique prefix (default: the last run that is not undone)',
    }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.parse(Undo);
    const { yes, overwrite, salvage, skip = [], root, output } = flags;
    await this.undo({ id: args.id, yes, isDry: flags['dry-run'], overwrite, salvage, skip, root, output });
  }
}
