/** `join fleet status`: shows a rollout, whether its operator runs or not. */
import { Flags } from '@oclif/core';
import { JoinCommand } from '../../command.ts';

export const fleetFlag = Flags.string({
  helpValue: 'NAME',
  description: 'Name of the fleet (default: the only one on this machine)',
});

export class FleetStatusCommand extends JoinCommand {
  static override summary = 'Show the waves and hosts of the newest rollout';
  static override examples = [
    '<%= config.bin %> fleet status -o json',
    '<%= config.bin %> fleet status -o html > rollout.html',
  ];
  static override flags = {
    fleet: fleetFlag,
    output: Flags.option({
      char: 'o',
      options: ['text', 'json', 'jsonl', 'html'] as const,
      default: 'text',
      description: 'Text, JSON, a line of JSON, or an HTML page (default text)',
    })(),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(FleetStatusCommand);
    const { knownFleet, pageOf, statusOf, statusText } = await import('../../fleet/index.ts');
    const fleet = knownFleet(flags.fleet);
    if (flags.output === 'html') return this.log((await pageOf(fleet, this.app.assets)).trimEnd());
    const status = await statusOf(fleet);
    if (flags.output === 'text') this.show(this.hint(statusText(status)));
    else await this.print(status, flags.output);
  }
}
