/** `join config validate FILE`: everything that is wrong with a kubeadm configuration file, without joining. */
import { Args } from '@oclif/core';
import { JoinCommand } from '../../command.ts';
import { lenientFlag, readConfigurationFile, warningLines } from '../../inputs/config-documents.ts';
import { runFlags } from '../../inputs/flags.ts';

export class ConfigValidate extends JoinCommand {
  static override summary = 'Check a kubeadm configuration file';
  static override description = 'NodeConfiguration v1alpha1 and v1alpha2, JoinConfiguration v1alpha3 to v1beta4.';
  static override args = { file: Args.string({ required: true, description: 'The file' }) };
  static override flags = { lenient: lenientFlag, output: runFlags.output };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ConfigValidate);
    const { file } = args;
    const { loadJoinConfiguration } = await import('../../../engine/kubeadm/index.ts'); // only who needs it waits for it
    const { apiVersion, settings, warnings } = loadJoinConfiguration(file, await readConfigurationFile(file), flags);
    process.stderr.write(warningLines(warnings));
    this.log(
      flags.output === 'json'
        ? JSON.stringify({
            apiVersion: 'joinery.dev/v1',
            kind: 'ConfigValidation',
            file,
            valid: true,
            version: apiVersion,
            settings,
            warnings,
          })
        : `${file}: ${apiVersion}, no problem`,
    );
  }
}
