/** `join token create`: a new bootstrap token in the cluster. */
import { Args, Flags } from '@oclif/core';
import { fail } from '../../../engine/sdk/index.ts';
import { DEFAULT_GROUP, randomToken, tokenAsWished, tokenText, USAGES } from '../../../engine/tokens/token.ts';
import { joinCommand } from '../../../engine/tokens/tokens.ts';
import { JoinCommand } from '../../command.ts';
import { listed, textOrFile } from '../../inputs/flags.ts';
import { kubeconfigFlag, withTokens } from '../../tokens.ts';

export class TokenCreate extends JoinCommand {
  static override summary = 'Make a bootstrap token that machines can join with';
  static override description =
    'Prints the token, or the whole line to join with. That line is good for kubeadm too, with `kubeadm join` for `join run`.';
  static override examples = [
    '<%= config.bin %> token create --print-join-command',
    '<%= config.bin %> token create --ttl 2h --description "rack 7" --kubeconfig ./admin.conf',
    '<%= config.bin %> token generate > token; <%= config.bin %> token create @token',
  ];
  static override flags = {
    ttl: Flags.string({
      default: '24h',
      helpValue: 'DURATION',
      description: 'After this it is deleted: 90m, 24h; 0: never',
    }),
    usages: Flags.string({
      ...listed,
      default: [...USAGES],
      helpValue: USAGES.join(','),
      description: 'What it is good for: signing is for discovery, authentication for the TLS bootstrap',
    }),
    groups: Flags.string({
      ...listed,
      helpValue: 'A,B',
      description: `Groups of whoever logs in with it. Left out: ${DEFAULT_GROUP}`,
    }),
    description: Flags.string({ default: '', helpValue: 'TEXT', description: 'What it is for; shown by token list' }),
    'print-join-command': Flags.boolean({ description: 'Print the line that joins a machine with it' }),
    kubeconfig: kubeconfigFlag,
  };
  static override args = {
    token: Args.string({
      ignoreStdin: true,
      parse: async (text) => textOrFile(text, 'token'),
      description: 'The token, or @FILE that holds it. Left out: a random one',
    }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.parse(TokenCreate);
    const { ttl, description } = flags;
    const usages = flags.usages.filter(Boolean);
    const groups = flags.groups?.filter(Boolean); // --groups '' is none
    const token = tokenAsWished({ token: args.token ?? randomToken(), ttl, usages, groups, description }, new Date());
    const isToJoin = flags['print-join-command'];
    if (isToJoin && token.usages.length < USAGES.length)
      throw fail('E_INPUT', { problems: [`--print-join-command: joining takes both usages, ${USAGES.join(' and ')}`] });
    await withTokens(flags.kubeconfig, async (tokens) => {
      const target = isToJoin ? await tokens.joinTarget() : undefined; // first: what fails leaves no token behind
      await tokens.create(token);
      this.log(target === undefined ? tokenText(token) : joinCommand(token, target));
    });
  }
}
