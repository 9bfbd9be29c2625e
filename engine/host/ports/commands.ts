import type { Commands } from '../../sdk/ports.ts';
import { checkCommand } from '../changes/command.ts';
import type { CommandOptions } from '../query.ts';
import type { GuardedHost } from './guarded-host.ts';

export const commandsPort = (guarded: GuardedHost): Commands => ({
  find: (name) => guarded.read({ kind: 'program', name }),
  async query(argv, environment, limits) {
    checkCommand(argv, guarded.permissions);
    return guarded.read({ kind: 'output', argv, ...optionsOf(environment, limits) });
  },
  async run(argv, way, environment, limits) {
    const undo = 'undo' in way ? way.undo : undefined;
    const irreversible = 'irreversible' in way ? way.irreversible : undefined;
    await guarded.change({ kind: 'command', argv, undo, irreversible, ...optionsOf(environment, limits) });
  },
});

const optionsOf = (environment: CommandOptions['environment'], limits: CommandOptions['limits']): CommandOptions => ({
  ...(environment && { environment }),
  ...(limits && { limits }),
});
