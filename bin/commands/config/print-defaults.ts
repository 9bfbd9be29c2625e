/** `join config print-defaults`: a kubeadm configuration file to start from. */
import { hostname } from 'node:os';
import { stringify } from 'yaml';
import { JoinCommand } from '../../command.ts';
import { runFlags } from '../../inputs/flags.ts';

export class ConfigPrintDefaults extends JoinCommand {
  static override summary = 'Print a kubeadm configuration with every default';
  static override description = 'API server and tokens are placeholders: put in your own, and caCertHashes.';
  static override flags = { output: runFlags.output };

  async run(): Promise<void> {
    const { flags } = await this.parse(ConfigPrintDefaults);
    const { defaultConfiguration } = await import('../../../engine/kubeadm/index.ts');
    const configuration = defaultConfiguration(hostname().trim().toLowerCase());
    this.log(flags.output === 'json' ? JSON.stringify(configuration, null, 2) : stringify(configuration).trimEnd());
  }
}
