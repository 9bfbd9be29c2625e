import type { MakeRandom, Random } from '../../sdk/ports.ts';
import type { Secret } from '../../sdk/secret.ts';
import type { GuardedHost } from './guarded-host.ts';

export function randomPort({ permissions, options }: GuardedHost): Random {
  const value = async (name: string, make: MakeRandom, anew: boolean): Promise<Secret> => {
    const requireAlive = () => permissions.requireAlive(`random value ${name}`);
    requireAlive();
    const makeAlive = async () => {
      const made = await make();
      requireAlive(); // nothing is recorded for an attempt that has ended meanwhile
      return made;
    };
    return options.once(name, makeAlive, anew);
  };
  return {
    once: (name, make) => value(name, make, false),
    again: (name, make) => value(name, make, true),
  };
}
