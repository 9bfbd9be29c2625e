/** `join completion SHELL`: prints the completion of commands and flags for a shell. */
import { Args, type Command } from '@oclif/core';
import { JoinCommand } from '../command.ts';
import type { Shell } from '../render/completion.ts';

/** `commands` are all commands, by their ID. */
export function completionCommand(commands: () => Readonly<Record<string, Command.Class>>) {
  return class Completion extends JoinCommand {
    static override summary = 'Print the completion of commands and flags for a shell';
    static override description =
      'Load it in each new shell: add the line of the example to the startup file of yours.';
    static override examples = [
      'source <(<%= config.bin %> completion bash)',
      'source <(<%= config.bin %> completion zsh)',
      '<%= config.bin %> completion fish | source',
    ];
    static override args = {
      shell: Args.string({
        required: true,
        ignoreStdin: true,
        options: ['bash', 'zsh', 'fish'] satisfies Shell[],
        description: 'bash, zsh or fish',
      }),
    };

    async run(): Promise<void> {
      const { args } = await this.parse(Completion);
      const { completionText } = await import('../render/completion.ts');
      this.log(completionText(args.shell as Shell, commands()));
    }
  };
}
