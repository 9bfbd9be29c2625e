/** `join token list`: lists the bootstrap tokens of the cluster. */
import { Flags } from '@oclif/core';
import { JoinCommand } from '../../command.ts';
import { outputFlag } from '../../inputs/common-flags.ts';
import { widthOf } from '../../render/table.ts';
import { tokensDocument, tokensText } from '../../render/tokens.ts';
import { kubeconfigFlag, withTokens } from './cluster.ts';

export class TokenList extends JoinCommand {
  static override summary = 'List the bootstrap tokens of the cluster';
  static override description = 'Masks the secret half of each token, because it allows machines to join.';
  static override examples = [
    '<%= config.bin %> token list',
    '<%= config.bin %> token list --show-secrets --output json --kubeconfig ./admin.conf',
  ];
  static override flags = {
    'show-secrets': Flags.boolean({ description: 'Show the secret halves too (like kubeadm token list)' }),
    output: outputFlag,
    kubeconfig: kubeconfigFlag,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(TokenList);
    const found = await withTokens(flags.kubeconfig, (tokens) => tokens.list());
    const options = { secrets: flags['show-secrets'], now: new Date(), width: widthOf(process.stdout) };
    for (const { secret, reason } of found.unusable)
      process.stderr.write(`! Secret kube-system/${secret} does not contain a usable token: ${reason}\n`);
    if (flags.output === 'text') return this.log(tokensText(found, options));
    await this.print(tokensDocument(found, options), flags.output);
  }
}
