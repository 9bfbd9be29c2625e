/** `join config migrate`: a kubeadm configuration file of any version, as v1beta4. */
import { Flags } from '@oclif/core';
import { EXIT, JoinError } from '../../../engine/sdk/index.ts';
import { JoinCommand } from '../../command.ts';
import {
  lenientFlag,
  readConfigurationFile,
  warningLines,
  writeConfigurationFile,
} from '../../inputs/config-documents.ts';
import { runFlags } from '../../inputs/flags.ts';

const STDOUT = '-';

export class ConfigMigrate extends JoinCommand {
  static override summary = 'Bring a kubeadm configuration file to kubeadm.k8s.io/v1beta4';
  static override description =
    'What is lost or changed on the way is said. The new file has the tokens of the old one.';
  static override flags = {
    'old-config': Flags.string({ required: true, helpValue: 'FILE', description: 'The file to migrate' }),
    'new-config': Flags.string({
      default: STDOUT,
      helpValue: 'FILE|-',
      description: 'Where to; only its owner may read it. Left out, or -: standard output',
    }),
    lenient: lenientFlag,
    output: runFlags.output,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(ConfigMigrate);
    const { 'old-config': oldConfig, 'new-config': newConfig, output } = flags;
    if (output === 'json' && newConfig === STDOUT)
      throw JoinError.own({
        code: 'E_USAGE',
        message: '--output json tells about the new file, which itself goes to standard output',
        hint: 'Add --new-config FILE.',
        exitCode: EXIT.usage,
      });
    const { apiVersionOf, LATEST, migrateConfiguration } = await import('../../../engine/kubeadm/index.ts');
    const { from, text, changes, warnings } = migrateConfiguration(
      oldConfig,
      await readConfigurationFile(oldConfig),
      flags,
    );
    if (newConfig !== STDOUT) await writeConfigurationFile(newConfig, text);
    const to = apiVersionOf(LATEST);
    process.stderr.write(warningLines(warnings));
    if (output === 'json') {
      const told = { from, to, oldConfig, newConfig, changes, warnings };
      this.log(JSON.stringify({ apiVersion: 'joinery.dev/v1', kind: 'ConfigMigration', ...told }));
      return;
    }
    for (const { field, lost, why } of changes)
      process.stderr.write(`! ${field} is ${lost ? 'lost' : 'changed'}: ${why}\n`);
    if (newConfig === STDOUT) process.stdout.write(text.reveal());
    else this.log(`${newConfig}: ${to}, from ${from}`);
  }
}
