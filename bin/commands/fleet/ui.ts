/** `join fleet ui`: prints a link to the dashboard, which the operator of the rollout serves. */
import { JoinCommand } from '../../command.ts';
import { fleetFlag } from './status.ts';

export class FleetUi extends JoinCommand {
  static override summary = 'Print a link to the dashboard of a rollout that runs';
  static override description =
    'The link is valid once, on this machine. An earlier link and the browser that has opened it lose their access.';
  static override examples = ['<%= config.bin %> fleet ui'];
  static override flags = { fleet: fleetFlag };

  async run(): Promise<void> {
    const { flags } = await this.parse(FleetUi);
    const { knownFleet, linkOf } = await import('../../fleet/index.ts');
    this.log(await linkOf(knownFleet(flags.fleet)));
  }
}
