/** `join token delete`: deletes bootstrap tokens from the cluster. */
import { Args, Flags } from '@oclif/core';
import { fields } from '../../../engine/node/index.ts';
import { fail } from '../../../engine/sdk/index.ts';
import { tokenId } from '../../../engine/tokens/token.ts';
import { JoinCommand } from '../../command.ts';
import { kubeconfigFlag, withTokens } from './cluster.ts';

export class TokenDelete extends JoinCommand {
  static override summary = 'Delete bootstrap tokens, so that no machine can join with them';
  static override description = 'Machines that have already joined stay in the cluster.';
  static override examples = ['<%= config.bin %> token delete abcdef'];
  static override flags = {
    'dry-run': Flags.boolean({ description: 'Show which tokens would be deleted' }),
    kubeconfig: kubeconfigFlag,
  };
  static override args = {
    tokens: Args.string({ required: true, multiple: true, description: 'Token IDs, or whole tokens' }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.parse(TokenDelete);
    const words: string[] = [args.tokens].flat();
    const ids = words.flatMap((text) => tokenId(text) ?? []);
    // The error does not quote what was typed, because it may be a mistyped secret.
    if (ids.length < words.length)
      throw fail('E_INPUT', { problems: [`a token must ${fields.bootstrapToken['x-form']}, and an id its first 6`] });
    const absent: string[] = [];
    await withTokens(flags.kubeconfig, async (tokens) => {
      for (const id of new Set(ids))
        if (flags['dry-run']) this.log(`Would delete token ${id}.`);
        else if (await tokens.delete(id)) this.report(`Deleted token ${id}.`);
        else absent.push(id);
    });
    if (absent.length > 0) throw fail('E_TOKEN_ABSENT', { ids: absent });
  }
}
