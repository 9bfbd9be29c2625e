/** `join fleet run`: joins the machines of a fleet in waves. */
import { Flags } from '@oclif/core';
import type { FleetStatus } from '../../../engine/fleet/status.ts';
import { EXIT } from '../../../engine/sdk/index.ts';
import { JoinCommand } from '../../command.ts';
import { quietFlag } from '../../inputs/common-flags.ts';
import { fleetFile } from './validate.ts';

/** Of the commands that are an operator. */
export const operatorFlags = {
  executable: Flags.string({
    helpValue: 'FILE',
    description: 'Executable of Joinery that the machines get (default: the one of this release)',
  }),
  'dashboard-port': Flags.integer({
    min: 1,
    max: 65_535,
    helpValue: 'PORT',
    description: 'Port of the dashboard on 127.0.0.1 (default: a free one)',
  }),
  output: Flags.option({
    char: 'o',
    options: ['text', 'json', 'jsonl'] as const,
    default: 'text',
    description: 'Result as text or JSON, or each change of the status as a line of JSON (default text)',
  })(),
  quiet: quietFlag,
};

export class FleetRun extends JoinCommand {
  static override summary = 'Join the machines of a fleet in waves, or continue an unfinished rollout';
  static override description = [
    'The rollout needs this process. If it is stopped or killed, the machines finish what they do, and the same',
    'command continues the rollout. docs/fleets.md describes the document.',
  ].join(' ');
  static override examples = ['<%= config.bin %> fleet run rack.yaml'];
  static override args = { file: fleetFile };
  static override flags = operatorFlags;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(FleetRun);
    const { announceDashboard, loadFleetFile, operate, reportText, showRollout } = await import('../../fleet/index.ts');
    const fleet = await loadFleetFile(args.file);
    const status = await operate({
      assets: this.app.assets,
      fleet: fleet.name,
      maxParallel: fleet.rollout.maxParallel,
      executable: flags.executable,
      port: flags['dashboard-port'],
      announce: flags.output === 'text' && !this.isQuiet ? announceDashboard : undefined,
      begin: (operator) => operator.begin(fleet),
      view: (operator, begun) => showRollout(operator, begun, { format: flags.output, isQuiet: this.isQuiet }),
    });
    this.startReport();
    if (flags.output === 'text') this.show(this.hint(reportText(status)));
    else await this.print(status, flags.output);
    process.exitCode = exitCodeOf(status);
  }
}

/** A rollout that was undone on request has done what it should. */
export const exitCodeOf = ({ state }: FleetStatus): number => {
  if (state === 'cancelled') return EXIT.cancelled;
  return state === 'succeeded' || state === 'undone' ? 0 : EXIT.machine;
};
