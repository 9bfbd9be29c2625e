/** `join fleet validate`: reports every problem of a Fleet document and its hosts, without reaching a machine. */
import { Args } from '@oclif/core';
import { EXIT, fail } from '../../../engine/sdk/index.ts';
import { JoinCommand } from '../../command.ts';
import { outputFlag } from '../../inputs/common-flags.ts';
import { withoutTokens } from '../../render/error.ts';

export const fleetFile = Args.string({
  required: true,
  ignoreStdin: true,
  description: 'Fleet document, or - for standard input',
});

export class FleetValidate extends JoinCommand {
  static override summary = 'Check a fleet and its hosts without reaching a machine';
  static override examples = ['<%= config.bin %> fleet validate rack.yaml'];
  static override args = { file: fleetFile };
  static override flags = { output: outputFlag };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(FleetValidate);
    const { validateFleetFile, validText, validationDocument } = await import('../../fleet/index.ts');
    const { fleet, problems } = await validateFleetFile(args.file);
    if (flags.output === 'text') {
      if (fleet === undefined) throw fail('E_FLEET', { problems });
      return this.log(validText(args.file, fleet));
    }
    const { documentText } = await import('../../render/document.ts');
    this.log(withoutTokens(await documentText(validationDocument(args.file, fleet, problems), flags.output)));
    if (fleet === undefined) process.exitCode = EXIT.pipeline;
  }
}
