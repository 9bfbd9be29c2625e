import type { Mounts } from '../../sdk/ports.ts';
import type { GuardedHost } from './guarded-host.ts';
import { realBound } from './real-paths.ts';

export const mountsPort = (guarded: GuardedHost): Mounts => ({
  async below(path) {
    const mounts = await guarded.read({ kind: 'mounts', path });
    const { bounds } = guarded.permissions;
    const top = bounds === undefined ? '' : await realBound(bounds, path, guarded.read);
    guarded.permissions.allowMounts(path, top, mounts);
    return mounts;
  },
  unmount: (path) => guarded.change({ kind: 'unmount', path }),
});
