/** The transport `exec`: a program of the operator, to which the command of the machine is appended. */
import { fail } from '../../sdk/errors.ts';
import type { Machine } from './machine.ts';
import { failureOf, type RunProgram, runOwnProgram } from './program.ts';
import { shellMachine } from './shell-machine.ts';

export function execMachine(host: string, command: readonly string[]): Machine {
  const run: RunProgram = async (request) => {
    try {
      return await runOwnProgram({ ...request, argv: [...command, ...request.argv] });
    } catch (error) {
      const what = failureOf(error);
      if (what === undefined) throw error;
      throw fail('E_FLEET_UNREACHABLE', { host, what: `${command[0]}: ${what}` }, error);
    }
  };
  return shellMachine(host, run);
}
