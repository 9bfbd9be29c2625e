/** `join config validate FILE`: reports every problem of a kubeadm configuration file. */
import { Args } from '@oclif/core';
import { JoinCommand } from '../../command.ts';
import { outputFlag } from '../../inputs/common-flags.ts';
import { lenientFlag, readConfigurationFile, warningLines } from '../../inputs/config-documents.ts';

export class ConfigValidate extends JoinCommand {
  static override summary = 'Check a kubeadm configuration file';
  static override description =
    'Supports NodeConfiguration v1alpha1 and v1alpha2, and JoinConfiguration v1alpha3 to v1beta4.';
  static override args = { file: Args.string({ required: true, description: 'File to check' }) };
  static override flags = { lenient: lenientFlag, output: outputFlag };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ConfigValidate);
    const { file } = args;
    // Late, so that other commands start faster.
    const { loadJoinConfiguration } = await import('../../../engine/kubeadm/index.ts');
    const { apiVersion, settings, warnings } = loadJoinConfiguration(file, await readConfigurationFile(file), flags);
    process.stderr.write(warningLines(warnings));
    if (flags.output === 'text') return this.log(`${file}: valid ${apiVersion}, no problems`);
    const document = { apiVersion: 'joinery.dev/v1', kind: 'ConfigValidation', file, valid: true };
    await this.print({ ...document, version: apiVersion, settings, warnings }, flags.output);
  }
}
