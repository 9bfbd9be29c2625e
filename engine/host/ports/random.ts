import type { Random } from '../../sdk/ports.ts';
import type { Secret } from '../../sdk/secret.ts';
import type { GuardedHost } from './guarded-host.ts';

export function randomPort({ permissions, options }: GuardedHost): Random {
  const value = async (name: string, make: () => string, anew: boolean): Promise<Secret> => {
    permissions.requireAlive(`random value ${name}`);
    return options.once(name, make, anew);
  };
  return {
    once: (name, make) => value(name, make, false),
    again: (name, make) => value(name, make, true),
  };
}
