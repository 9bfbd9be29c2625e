/** `join fleet undo`: rolls machines back, through the journal of each. */
import { Flags } from '@oclif/core';
import { fail } from '../../../engine/sdk/index.ts';
import { JoinCommand } from '../../command.ts';
import { confirm, isInteractive } from '../../inputs/terminal.ts';
import { exitCodeOf, operatorFlags } from './run.ts';
import { fleetFlag } from './status.ts';

const MAX_PARALLEL = 10;

export class FleetUndo extends JoinCommand {
  static override summary = 'Roll back the machines that the newest rollout has joined';
  static override description =
    'A rollout that is in progress ends. Control planes are rolled back last, one at a time.';
  static override examples = ['<%= config.bin %> fleet undo --wave 2'];
  static override flags = {
    fleet: fleetFlag,
    wave: Flags.integer({ min: 1, helpValue: 'NUMBER', description: 'Only the machines of this wave' }),
    yes: Flags.boolean({ char: 'y', description: 'Do not ask for confirmation' }),
    ...operatorFlags,
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(FleetUndo);
    const { actOn, announceDashboard, hasOperator, knownFleet, operate, reportText, showRollout } = await import(
      '../../fleet/index.ts'
    );
    const fleet = knownFleet(flags.fleet);
    const what = flags.wave === undefined ? 'all waves' : `wave ${flags.wave}`;
    if (!flags.yes && !isInteractive()) throw fail('E_FLEET_UNDO_UNCONFIRMED', { fleet, wave: flags.wave });
    if (!flags.yes && !(await confirm(`Roll back ${what} of fleet ${fleet}?`))) return;
    if (await hasOperator(fleet)) {
      await actOn(fleet, flags.wave === undefined ? { action: 'undo' } : { action: 'undo', wave: flags.wave });
      this.log(`${fleet}: undo was requested. See the effect: ${this.hint('join fleet status')}`);
      return;
    }
    const status = await operate({
      assets: this.app.assets,
      fleet,
      maxParallel: MAX_PARALLEL,
      executable: flags.executable,
      port: flags['dashboard-port'],
      announce: flags.output === 'text' && !this.isQuiet ? announceDashboard : undefined,
      begin: (operator) => operator.undo(flags.wave),
      view: (operator, begun) => showRollout(operator, begun, { format: flags.output, isQuiet: this.isQuiet }),
    });
    this.startReport();
    if (flags.output === 'text') this.show(this.hint(reportText(status)));
    else await this.print(status, flags.output);
    process.exitCode = exitCodeOf(status);
  }
}
