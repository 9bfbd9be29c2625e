/** The transport `local`: a scratch root on the operator's machine, and the operator's own Joinery. */

import { reasonOf } from '../../limits/errno.ts';
import { readLimited } from '../../limits/read.ts';
import { LIMITS } from '../../limits/sizes.ts';
import { fail } from '../../sdk/errors.ts';
import type { Architecture, Machine } from './machine.ts';
import { failureOf, ownEnvironment, runOwnProgram } from './program.ts';
import { joinRequest } from './shell-machine.ts';

/** `own` is the command that starts this Joinery: program and arguments. */
export function localMachine(host: string, root: string, own: readonly string[]): Machine {
  return {
    async reach() {
      try {
        const name = readLimited(`${root}/etc/hostname`, { bytesMax: LIMITS.text, pipes: 'refuse' }).toString('utf8');
        return { architecture: process.arch as Architecture, hostName: name.trim() };
      } catch (error) {
        throw fail('E_FLEET_UNREACHABLE', { host, what: `${root}/etc/hostname: ${reasonOf(error)}` }, error);
      }
    },
    /** The machine is this one. */
    put: async ({ source }) => ({ path: source, changed: false }),
    async join(args, options) {
      const command = [...own, ...args, '--root', root];
      try {
        return await runOwnProgram(joinRequest(command, options), withoutInputs());
      } catch (error) {
        const what = failureOf(error);
        if (what === undefined) throw error;
        throw fail('E_FLEET_UNREACHABLE', { host, what: `${own.join(' ')}: ${what}` }, error);
      }
    },
  };
}

/** The machine's inputs come from the fleet, not from variables of the operator. */
const withoutInputs = (): Record<string, string> =>
  Object.fromEntries(Object.entries(ownEnvironment()).filter(([name]) => !name.startsWith('JOINERY_')));
