/** A command that changes the machine, and the command that undoes it or the reason why no command can. */
import { allowsProgram } from '../../sdk/bounds.ts';
import { fail } from '../../sdk/errors.ts';
import type { Permissions } from '../ports/permissions.ts';
import type { CommandOptions } from '../query.ts';
import type { ChangeKind, UndoContext } from './kind.ts';

export interface CommandChange extends CommandOptions {
  kind: 'command';
  argv: readonly string[];
  undo: readonly string[] | undefined;
  irreversible: string | undefined;
}

export interface CommandDescription {
  kind: 'command';
  command: string;
  irreversible: string | undefined;
}

export interface CommandBefore {
  kind: 'command';
  undo: readonly string[];
}

/**
 * Throws unless the phase declared the program. Every user of the machine can read the arguments of a process, so they
 * must not contain a secret.
 */
export function checkCommand(argv: readonly string[], permissions: Permissions): void {
  const [program = ''] = argv;
  const isDeclared = permissions
    .effects('command')
    .some((effect) => effect.program === '*' || permissions.fill(effect.program) === program);
  const isWithin = permissions.isWithin((bounds) => allowsProgram(bounds, program));
  permissions.require(isDeclared && isWithin, `run ${program}`);
  if (argv.some(permissions.hasSecret)) throw fail('E_SECRET_SHOWN', { program });
}

export const command: ChangeKind<CommandChange, CommandDescription, CommandBefore> = {
  subject: (change) => change.command,
  text: ({ command: line, irreversible }) =>
    `run ${line}${irreversible === undefined ? '' : ` (irreversible: ${irreversible})`}`,
  check({ argv, undo }, permissions) {
    checkCommand(argv, permissions);
    if (undo !== undefined) checkCommand(undo, permissions);
  },
  describe: ({ kind, argv, irreversible }) => ({ kind, command: argv.join(' '), irreversible }),
  snapshot: ({ undo }) => ({ before: undo === undefined ? { kind: 'none' } : { kind: 'command', undo } }),
  apply: (change, { commands }, signal) => commands.must(change.argv, signal, change),
  whyItStays: ({ irreversible }) => irreversible ?? 'it cannot be undone',
  async undo({ before }, { apply }: UndoContext<CommandChange>) {
    await apply({ kind: 'command', argv: before.undo, undo: undefined, irreversible: undefined });
    return { outcome: 'restored' };
  },
};
