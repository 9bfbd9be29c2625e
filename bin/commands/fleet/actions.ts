/** `join fleet pause`, `resume`, `cancel`, `retry` and `skip`: ask the operator that runs for something. */
import { Args, type Command } from '@oclif/core';
import type { RolloutAction } from '../../../engine/fleet/board.ts';
import { JoinCommand } from '../../command.ts';
import { fleetFlag } from './status.ts';

abstract class Action extends JoinCommand {
  static override flags = { fleet: fleetFlag };

  protected async act(fleet: string | undefined, action: RolloutAction): Promise<void> {
    const { actOn, knownFleet } = await import('../../fleet/index.ts');
    const name = knownFleet(fleet);
    await actOn(name, action);
    this.log(`${name}: ${action.action} was requested. See the effect: ${this.hint('join fleet status')}`);
  }
}

function rolloutCommand(action: 'pause' | 'resume' | 'cancel', summary: string): Command.Class {
  class RolloutAction extends Action {
    static override summary = summary;

    async run(): Promise<void> {
      const { flags } = await this.parse(RolloutAction);
      await this.act(flags.fleet, { action });
    }
  }
  return RolloutAction;
}

function hostCommand(action: 'retry' | 'skip', summary: string): Command.Class {
  class HostAction extends Action {
    static override summary = summary;
    static override args = {
      host: Args.string({ required: true, ignoreStdin: true, description: 'Name of the host in the fleet' }),
    };

    async run(): Promise<void> {
      const { args, flags } = await this.parse(HostAction);
      await this.act(flags.fleet, { action, host: args.host });
    }
  }
  return HostAction;
}

export const fleetActions: Record<string, Command.Class> = {
  'fleet:pause': rolloutCommand('pause', 'Start no more machines until the rollout is resumed'),
  'fleet:resume': rolloutCommand('resume', 'Resume a paused rollout, and accept the failures so far'),
  'fleet:cancel': rolloutCommand('cancel', 'End the rollout when the machines that join now have finished'),
  'fleet:retry': hostCommand('retry', 'Join a host again that has failed or was skipped'),
  'fleet:skip': hostCommand('skip', 'Do not join a host that waits, or accept one that has failed'),
};
