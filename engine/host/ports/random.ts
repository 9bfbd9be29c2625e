import type { MakeRandom, Random } from '../../sdk/ports.ts';
import type { Secret } from '../../sdk/secret.ts';
import type { GuardedHost } from './guarded-host.ts';

export function randomPort({ permissions, options }: GuardedHost): Random {
  const value = async (name: string, make: MakeRandom, which: 'once' | 'again'): Promise<Secret> => {
    const requireAlive = () => permissions.requireAlive(`random value ${name}`);
    requireAlive();
    const makeAlive = async () => {
      const made = await make();
      requireAlive(); // nothing is recorded for an attempt that has ended meanwhile
      return made;
    };
    return options.once(name, makeAlive, which);
  };
  return {
    once: (name, make) => value(name, make, 'once'),
    again: (name, make) => value(name, make, 'again'),
  };
}
