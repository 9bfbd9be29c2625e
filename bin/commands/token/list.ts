/** `join token list`: the bootstrap tokens of the cluster. */
import { Flags } from '@oclif/core';
import { JoinCommand } from '../../command.ts';
import { runFlags } from '../../inputs/flags.ts';
import { tokensDocument, tokensText } from '../../render/tokens.ts';
import { kubeconfigFlag, withTokens } from '../../tokens.ts';

export class TokenList extends JoinCommand {
  static override summary = 'List the bootstrap tokens of the cluster';
  static override description = 'Shows their ids, and stars for the secret half: whoever has that can join machines.';
  static override examples = [
    '<%= config.bin %> token list',
    '<%= config.bin %> token list --show-secrets --output json --kubeconfig ./admin.conf',
  ];
  static override flags = {
    'show-secrets': Flags.boolean({ description: 'Show them whole, as kubeadm token list does' }),
    output: runFlags.output,
    kubeconfig: kubeconfigFlag,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(TokenList);
    const found = await withTokens(flags.kubeconfig, (tokens) => tokens.list());
    const shown = { secrets: flags['show-secrets'], now: new Date() };
    for (const { secret, reason } of found.unusable)
      process.stderr.write(`! Secret ${secret} of kube-system holds no usable token: ${reason}\n`);
    this.log(
      flags.output === 'json' ? JSON.stringify(tokensDocument(found, shown), null, 2) : tokensText(found, shown),
    );
  }
}
