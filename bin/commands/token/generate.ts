/** `join token generate`: prints a token without contacting a cluster. */
import { randomToken } from '../../../engine/tokens/token.ts';
import { JoinCommand } from '../../command.ts';

export class TokenGenerate extends JoinCommand {
  static override summary = 'Print a random bootstrap token without contacting a cluster';
  static override description = 'For token create, or for the bootstrapTokens of a new cluster.';
  static override examples = ['<%= config.bin %> token generate'];

  async run(): Promise<void> {
    await this.parse(TokenGenerate);
    this.log(randomToken());
  }
}
