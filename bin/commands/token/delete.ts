/** `join token delete`: takes bootstrap tokens out of the cluster. */
import { Args } from '@oclif/core';
import { fields } from '../../../engine/node/index.ts';
import { fail } from '../../../engine/sdk/index.ts';
import { tokenId } from '../../../engine/tokens/token.ts';
import { JoinCommand } from '../../command.ts';
import { kubeconfigFlag, withTokens } from '../../tokens.ts';

export class TokenDelete extends JoinCommand {
  static override summary = 'Delete bootstrap tokens: nobody can join with them any more';
  static override description = 'Machines that have joined already stay in the cluster.';
  static override examples = ['<%= config.bin %> token delete abcdef'];
  static override flags = { kubeconfig: kubeconfigFlag };
  static override args = {
    tokens: Args.string({ required: true, multiple: true, description: 'Ids, or whole tokens' }),
  };

  async run(): Promise<void> {
    const { flags, args } = await this.parse(TokenDelete);
    const given: string[] = [args.tokens].flat();
    const ids = given.flatMap((text) => tokenId(text) ?? []);
    // What was typed is not repeated: it may be nearly a secret.
    if (ids.length < given.length)
      throw fail('E_INPUT', { problems: [`a token must ${fields.bootstrapToken['x-form']}, and an id its first 6`] });
    const absent: string[] = [];
    await withTokens(flags.kubeconfig, async (tokens) => {
      for (const id of new Set(ids))
        if (await tokens.delete(id)) this.log(`Token ${id} is deleted.`);
        else absent.push(id);
    });
    if (absent.length > 0) throw fail('E_TOKEN_ABSENT', { ids: absent });
  }
}
