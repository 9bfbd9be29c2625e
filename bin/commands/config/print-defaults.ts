/** `join config print-defaults`: prints a kubeadm configuration file to start from. */
import { hostname } from 'node:os';
import { stringify } from 'yaml';
import { JoinCommand } from '../../command.ts';
import { outputFlag } from '../../inputs/common-flags.ts';

export class ConfigPrintDefaults extends JoinCommand {
  static override summary = 'Print a kubeadm configuration with all defaults';
  static override description = 'The API server and the tokens are placeholders: replace them, and add caCertHashes.';
  static override flags = { output: outputFlag };

  async run(): Promise<void> {
    const { flags } = await this.parse(ConfigPrintDefaults);
    const { defaultConfiguration } = await import('../../../engine/kubeadm/index.ts');
    const configuration = defaultConfiguration(hostname().trim().toLowerCase());
    if (flags.output !== 'text') return this.print(configuration, flags.output);
    this.log(stringify(configuration).trimEnd());
  }
}
