/** `join config migrate`: migrates a kubeadm configuration file of any version to v1beta4. */
import { Flags } from '@oclif/core';
import { EXIT, JoinError } from '../../../engine/sdk/index.ts';
import { JoinCommand } from '../../command.ts';
import { outputFlag } from '../../inputs/common-flags.ts';
import {
  lenientFlag,
  readConfigurationFile,
  warningLines,
  writeConfigurationFile,
} from '../../inputs/config-documents.ts';

const STDOUT = '-';

export class ConfigMigrate extends JoinCommand {
  static override summary = 'Migrate a kubeadm configuration file to kubeadm.k8s.io/v1beta4';
  static override description =
    'Reports every field that is lost or changed. The new file contains the tokens of the old one.';
  static override flags = {
    'old-config': Flags.string({ required: true, helpValue: 'FILE', description: 'File to migrate' }),
    'new-config': Flags.string({
      default: STDOUT,
      helpValue: 'FILE|-',
      description: 'New file, readable only by its owner; - writes to standard output (default -)',
    }),
    lenient: lenientFlag,
    output: outputFlag,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(ConfigMigrate);
    const { 'old-config': oldConfig, 'new-config': newConfig, output } = flags;
    if (output !== 'text' && newConfig === STDOUT)
      throw JoinError.own({
        code: 'E_USAGE',
        message: `--output ${output} needs standard output, and the new file goes there too`,
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
    if (output !== 'text') {
      const migration = { from, to, oldConfig, newConfig, changes, warnings };
      return this.print({ apiVersion: 'joinery.dev/v1', kind: 'ConfigMigration', ...migration }, output);
    }
    for (const { field, lost, why } of changes)
      process.stderr.write(`! ${field} is ${lost ? 'lost' : 'changed'}: ${why}\n`);
    if (newConfig === STDOUT) process.stdout.write(text.reveal());
    else this.report(`${newConfig}: migrated from ${from} to ${to}`);
  }
}
