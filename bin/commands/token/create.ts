/** `join token create`: creates a bootstrap token in the cluster. */
import { Args, Flags } from '@oclif/core';
import { fail } from '../../../engine/sdk/index.ts';
import { DEFAULT_GROUP, randomToken, tokenAsWished, tokenText, USAGES } from '../../../engine/tokens/token.ts';
import { joinCommand } from '../../../engine/tokens/tokens.ts';
import { JoinCommand } from '../../command.ts';
import { textOrFile } from '../../inputs/arguments.ts';
import { listFlag } from '../../inputs/common-flags.ts';
import { certificateKeyFlag, certificateKeyOf } from '../certs/key.ts';
import { kubeconfigFlag, withTokens } from './cluster.ts';

export class TokenCreate extends JoinCommand {
  static override summary = 'Create a bootstrap token for joining machines';
  static override description =
    'Prints the token, or the join command. For kubeadm, replace `join run` with `kubeadm join` in that command.';
  static override examples = [
    '<%= config.bin %> token create --print-join-command',
    '<%= config.bin %> token create --ttl 2h --description "rack 7" --kubeconfig ./admin.conf',
    '<%= config.bin %> token generate > token; <%= config.bin %> token create @token',
  ];
  static override flags = {
    ttl: Flags.string({
      default: '24h',
      helpValue: 'DURATION',
      description: 'Lifetime of the token, such as 90m; 0 means forever (default 24h)',
    }),
    usages: Flags.string({
      ...listFlag,
      default: [...USAGES],
      helpValue: USAGES.join(','),
      description: 'Usages: signing allows discovery, authentication allows TLS bootstrap (default both)',
    }),
    groups: Flags.string({
      ...listFlag,
      helpValue: 'A,B',
      description: `Groups that the token authenticates as (default ${DEFAULT_GROUP})`,
    }),
    description: Flags.string({ default: '', helpValue: 'TEXT', description: 'Description, shown by token list' }),
    'print-join-command': Flags.boolean({ description: 'Print the join command instead of the token' }),
    'certificate-key': certificateKeyFlag(
      'Print the command of a control plane, with the key that certs upload printed',
    ),
    'dry-run': Flags.boolean({ description: 'Print the token, but do not create it in the cluster' }),
    kubeconfig: kubeconfigFlag,
  };
  static override args = {
    token: Args.string({
      ignoreStdin: true,
      parse: async (text) => textOrFile(text, 'token'),
      description: 'Token, or @FILE to read it from a file (default: random)',
    }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.parse(TokenCreate);
    const { ttl, description } = flags;
    const usages = flags.usages.filter(Boolean);
    const groups = flags.groups?.filter(Boolean); // --groups '' means no groups
    const token = tokenAsWished({ token: args.token ?? randomToken(), ttl, usages, groups, description }, new Date());
    const printsCommand = flags['print-join-command'];
    const certificateKey = certificateKeyOf(flags['certificate-key']);
    if (certificateKey !== undefined && !printsCommand)
      throw fail('E_INPUT', { problems: ['--certificate-key only applies with --print-join-command'] });
    if (printsCommand && token.usages.length < USAGES.length)
      throw fail('E_INPUT', { problems: [`--print-join-command: a join needs both usages, ${USAGES.join(' and ')}`] });
    await withTokens(flags.kubeconfig, async (tokens) => {
      // Before the token exists, so that a failure leaves none behind.
      const target = printsCommand ? await tokens.joinTarget() : undefined;
      if (!flags['dry-run']) await tokens.create(token);
      this.log(target === undefined ? tokenText(token) : joinCommand(token, target, certificateKey));
    });
  }
}
