/** `join sandbox kubelet ROOT`: the stand-in kubelet that the service manager of a scratch machine starts. */
import { Args } from '@oclif/core';
import { JoinCommand } from '../../command.ts';

export class SandboxKubelet extends JoinCommand {
  static override hidden = true;
  static override summary = 'Run the stand-in kubelet of a scratch machine';
  static override args = { root: Args.string({ required: true, description: 'Root directory of the machine' }) };

  async run(): Promise<void> {
    const { args } = await this.parse(SandboxKubelet);
    const { runKubelet } = await import('../../../plugins/sandbox/machine/kubelet-process.ts');
    await runKubelet(args.root);
  }
}
