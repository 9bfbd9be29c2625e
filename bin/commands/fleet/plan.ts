/** `join fleet plan`: shows the waves of a fleet. */
import { JoinCommand } from '../../command.ts';
import { outputFlag } from '../../inputs/common-flags.ts';
import { fleetFile } from './validate.ts';

export class FleetPlan extends JoinCommand {
  static override summary = 'Show the waves of a fleet';
  static override examples = ['<%= config.bin %> fleet plan rack.yaml'];
  static override args = { file: fleetFile };
  static override flags = { output: outputFlag };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(FleetPlan);
    const { fleetPlanDocument, fleetPlanText, loadFleetFile } = await import('../../fleet/index.ts');
    const fleet = await loadFleetFile(args.file);
    if (flags.output === 'text') this.show(fleetPlanText(fleet));
    else await this.print(fleetPlanDocument(fleet), flags.output);
  }
}
