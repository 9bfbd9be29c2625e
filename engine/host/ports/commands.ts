import type { Commands } from '../../sdk/ports.ts';
import { checkCommand } from '../changes/command.ts';
import type { CommandOptions } from '../query.ts';
import type { Attempt } from './attempt.ts';

export const commandsPort = (attempt: Attempt): Commands => ({
  find: (name) => attempt.read({ kind: 'program', name }),
  async query(argv, environment, limits) {
    checkCommand(argv, attempt.permissions);
    return attempt.read({ kind: 'output', argv, ...optionsOf(environment, limits) });
  },
  async run(argv, way, environment, limits) {
    const undo = 'undo' in way ? way.undo : undefined;
    const irreversible = 'irreversible' in way ? way.irreversible : undefined;
    await attempt.change({ kind: 'command', argv, undo, irreversible, ...optionsOf(environment, limits) });
  },
});

const optionsOf = (environment: CommandOptions['environment'], limits: CommandOptions['limits']): CommandOptions => ({
  ...(environment && { environment }),
  ...(limits && { limits }),
});
