/** `join token generate`: a token that no cluster knows yet. */
import { randomToken } from '../../../engine/tokens/token.ts';
import { JoinCommand } from '../../command.ts';

export class TokenGenerate extends JoinCommand {
  static override summary = 'Print a random bootstrap token, without asking any cluster';
  static override description = 'For token create, and for the bootstrapTokens of a cluster that is yet to be made.';
  static override examples = ['<%= config.bin %> token generate'];

  async run(): Promise<void> {
    await this.parse(TokenGenerate);
    this.log(randomToken());
  }
}
